import { describe, expect, it } from "vitest";
import { clean, QUIET, type SaveInput, type SaveState, step, unsaved } from "./autosave";

/** Feeds inputs, gives the last state and how many sends were asked for. */
function run(inputs: SaveInput[], from: SaveState = clean): { state: SaveState; sends: number } {
  let state = from;
  let sends = 0;
  for (const input of inputs) {
    const result = step(state, input);
    state = result.state;
    if (result.send) sends++;
  }
  return { state, sends };
}

const edit = (at: number, valid = true): SaveInput => ({ type: "edited", at, valid });
const look = (at: number): SaveInput => ({ type: "looked", at });

describe("autosave", () => {
  it("waits for the quiet time after the last keystroke", () => {
    const typed = run([edit(0), edit(500), look(QUIET)]);
    expect(typed.sends).toBe(0);
    expect(typed.state.status).toBe("dirty");
    const quiet = run([look(500 + QUIET)], typed.state);
    expect(quiet.sends).toBe(1);
    expect(quiet.state.status).toBe("saving");
    expect(run([{ type: "saved", at: 2_000 }], quiet.state).state.status).toBe("saved");
  });

  it("never sends during composition, not even when flushed", () => {
    const composing = run([{ type: "composition_began" }, edit(0), look(5_000), { type: "flushed" }]);
    expect(composing.sends).toBe(0);
    const ended = run([{ type: "composition_ended", at: 6_000 }, look(6_000 + QUIET)], composing.state);
    expect(ended.sends).toBe(1);
  });

  it("has one save in flight and sends what came meanwhile afterwards", () => {
    const during = run([edit(0), { type: "flushed" }, edit(100), { type: "flushed" }, look(9_000)]);
    expect(during.sends).toBe(1);
    const after = run([{ type: "saved", at: 1_000 }], during.state);
    expect(after.state.status).toBe("dirty");
    expect(unsaved(after.state)).toBe(true);
    expect(run([look(1_000 + QUIET)], after.state).sends).toBe(1);
  });

  it("retries a failure with a growing pause and keeps the text unsaved", () => {
    let state = run([edit(0), { type: "flushed" }, { type: "failed", at: 1_000 }]).state;
    expect(state.status).toBe("failed");
    expect(unsaved(state)).toBe(true);
    const first = (state.due ?? 0) - 1_000;
    state = run([look(state.due ?? 0), { type: "failed", at: 10_000 }], state).state;
    expect((state.due ?? 0) - 10_000).toBeGreaterThan(first);
    for (let i = 0; i < 50; i++) state = run([{ type: "flushed" }, { type: "failed", at: 0 }], state).state;
    expect(state.due).toBeLessThanOrEqual(37_500);
  });

  it("holds back what is not valid", () => {
    const wrong = run([edit(0, false), { type: "flushed" }, look(9_000)]);
    expect(wrong.sends).toBe(0);
    expect(wrong.state.status).toBe("invalid");
    expect(run([edit(1), { type: "flushed" }], wrong.state).sends).toBe(1);
  });

  it("does not try a refused value again until it is changed", () => {
    const refused = run([edit(0), { type: "flushed" }, { type: "rejected" }, look(99_000)]);
    expect(refused.sends).toBe(1);
    expect(refused.state.status).toBe("invalid");
  });

  it("never overwrites a conflict without a choice", () => {
    const conflict = run([
      edit(0),
      { type: "flushed" },
      { type: "conflicted" },
      edit(5),
      { type: "flushed" },
      look(99_000),
    ]);
    expect(conflict.sends).toBe(1);
    expect(conflict.state.status).toBe("conflict");
    expect(run([{ type: "kept_mine", at: 9 }], conflict.state).sends).toBe(1);
    const theirs = run([{ type: "took_theirs" }], conflict.state);
    expect(theirs.sends).toBe(0);
    expect(unsaved(theirs.state)).toBe(false);
  });
});
