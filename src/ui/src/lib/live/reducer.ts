import type { Current, LiveEvent, Offered, Presence, QueueLine } from "../api/types";

/** A ringing call and when it began to ring, in server time. */
export type Ring = Offered & { at: number };

/** What the server last said. */
export type LiveState = {
  /** False until the first hello. */
  known: boolean;
  /** False for an account that takes no calls, such as a supervisor's. */
  takesCalls: boolean;
  presence: Presence;
  since: number;
  reserved: Presence | null;
  ring: Ring | null;
  talk: Current | null;
  queues: QueueLine[];
};

export const unknown: LiveState = {
  known: false,
  takesCalls: false,
  presence: "offline",
  since: 0,
  reserved: null,
  ring: null,
  talk: null,
  queues: [],
};

/** The state after one event. Pure: the same events give the same screen. */
export function reduce(state: LiveState, event: LiveEvent): LiveState {
  switch (event.type) {
    case "hello":
      return {
        known: true,
        takesCalls: event.operator !== null,
        presence: event.operator?.presence ?? "offline",
        since: event.operator?.since ?? event.at,
        reserved: event.operator?.reserved ?? null,
        ring: event.offer === null ? null : { ...event.offer, at: event.at },
        talk: event.call,
        queues: event.queues,
      };
    case "presence":
      return {
        ...state,
        presence: event.presence,
        since: event.since,
        reserved: event.reserved,
        talk: held(state.talk, event.presence),
      };
    case "offered": {
      const { type: _, seq: __, ...ring } = event;
      return { ...state, ring };
    }
    case "offer_ended":
      return state.ring?.call === event.call ? { ...state, ring: null } : state;
    case "bridged": {
      const { type: _, seq: __, at: ___, ...talk } = event;
      return { ...state, ring: state.ring?.call === event.call ? null : state.ring, talk };
    }
    case "call_ended":
      return {
        ...state,
        talk: state.talk?.call === event.call ? null : state.talk,
        ring: state.ring?.call === event.call ? null : state.ring,
      };
    case "waiting":
      return {
        ...state,
        queues: state.queues.map((queue) =>
          queue.id === event.queue
            ? { ...queue, waiting: event.waiting, longest_since: event.longest_since }
            : queue,
        ),
      };
    case "session_ended":
      return unknown;
    default:
      return state;
  }
}

/** Hold has no event of its own: presence says it. */
function held(talk: Current | null, presence: Presence): Current | null {
  if (talk === null || (presence !== "talking" && presence !== "hold")) return talk;
  return talk.state === presence ? talk : { ...talk, state: presence };
}

export type PanelState = "idle" | "ringing" | "connecting" | "talking" | "hold" | "wrap_up";

/** What the call panel shows. `accepting` is the call whose answer was pressed. */
export function panelState(state: LiveState, accepting: string | null): PanelState {
  if (state.talk !== null) return state.talk.state;
  if (state.ring !== null) return state.ring.call === accepting ? "connecting" : "ringing";
  if (accepting !== null) return "connecting";
  return state.presence === "wrap_up" ? "wrap_up" : "idle";
}

/** Calls waiting over all queues, and since when the longest waits. */
export function totals(queues: QueueLine[]): { waiting: number; longest: number | null } {
  let waiting = 0;
  let longest: number | null = null;
  for (const queue of queues) {
    waiting += queue.waiting;
    if (queue.longest_since !== null && (longest === null || queue.longest_since < longest)) {
      longest = queue.longest_since;
    }
  }
  return { waiting, longest };
}
