import { backoff } from "../live/backoff";

/** What the panel header says. */
export type SaveStatus = "idle" | "dirty" | "saving" | "saved" | "failed" | "invalid" | "conflict";

export type SaveState = {
  status: SaveStatus;
  /** An input method is composing: nothing is sent until it ends. */
  composing: boolean;
  valid: boolean;
  /** Counts edits; `sent` is the count a running save carries, `kept` the count the server has. */
  edits: number;
  sent: number;
  kept: number;
  failures: number;
  /** When to look again, in the caller's clock; null for never. */
  due: number | null;
};

export type SaveInput =
  | { type: "edited"; at: number; valid: boolean }
  | { type: "composition_began" }
  | { type: "composition_ended"; at: number }
  | { type: "looked"; at: number }
  | { type: "flushed" }
  | { type: "saved"; at: number }
  | { type: "failed"; at: number }
  | { type: "rejected" }
  | { type: "conflicted" }
  | { type: "kept_mine"; at: number }
  | { type: "took_theirs" };

/** Quiet time after the last keystroke before a save. */
export const QUIET = 800;

export const clean: SaveState = {
  status: "idle",
  composing: false,
  valid: true,
  edits: 0,
  sent: 0,
  kept: 0,
  failures: 0,
  due: null,
};

/** Whether something typed is not on the server yet. */
export function unsaved(state: SaveState): boolean {
  return state.edits > state.kept;
}

/** One step of the autosave machine; `send` asks the caller to send the present values now. */
export function step(state: SaveState, input: SaveInput): { state: SaveState; send: boolean } {
  switch (input.type) {
    case "edited": {
      const next = { ...state, edits: state.edits + 1, valid: input.valid };
      if (state.status === "saving" || state.status === "conflict") return rest(next);
      if (!input.valid) return rest({ ...next, status: "invalid", due: null });
      return rest({ ...next, status: "dirty", due: state.composing ? null : input.at + QUIET });
    }
    case "composition_began":
      return rest({ ...state, composing: true, due: null });
    case "composition_ended":
      return rest({
        ...state,
        composing: false,
        due: ready({ ...state, composing: false }) ? input.at + QUIET : null,
      });
    case "looked":
      return state.due !== null && input.at >= state.due && ready(state) ? send(state) : rest(state);
    case "flushed":
      return ready(state) ? send(state) : rest(state);
    case "saved": {
      const next = { ...state, kept: state.sent, failures: 0, due: null };
      if (!unsaved(next)) return rest({ ...next, status: "saved" });
      if (!next.valid) return rest({ ...next, status: "invalid" });
      return rest({ ...next, status: "dirty", due: next.composing ? null : input.at + QUIET });
    }
    case "failed":
      return rest({
        ...state,
        status: "failed",
        failures: state.failures + 1,
        due: input.at + backoff(state.failures, 1000, 30_000, 0.5),
      });
    case "rejected":
      return rest({ ...state, status: "invalid", due: null });
    case "conflicted":
      return rest({ ...state, status: "conflict", due: null });
    case "kept_mine":
      return send({ ...state, edits: state.edits + 1, valid: true });
    case "took_theirs":
      return rest({
        ...state,
        status: "saved",
        kept: state.edits,
        sent: state.edits,
        valid: true,
        due: null,
      });
  }
}

function ready(state: SaveState): boolean {
  return (
    unsaved(state) &&
    state.valid &&
    !state.composing &&
    state.status !== "saving" &&
    state.status !== "conflict"
  );
}

function send(state: SaveState): { state: SaveState; send: boolean } {
  return { state: { ...state, status: "saving", sent: state.edits, due: null }, send: true };
}

function rest(state: SaveState): { state: SaveState; send: boolean } {
  return { state, send: false };
}
