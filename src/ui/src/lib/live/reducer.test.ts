import { describe, expect, it } from "vitest";
import type { Current, LiveEvent, Offered } from "../api/types";
import { panelState, reduce, totals, unknown } from "./reducer";

const offered: Offered = {
  offer: "o1",
  call: "k1",
  queue: { id: "q1", name: "代表受付" },
  campaign: "c1",
  caller: "+81355550142",
  waited_ms: 12_000,
  ring_seconds: 20,
  customers: [],
  history: [],
};
const current: Current = {
  call: "k1",
  queue: offered.queue,
  campaign: "c1",
  caller: offered.caller,
  state: "talking",
  since: 2_000,
  muted: false,
  recording: "r1",
  customers: [],
  history: [],
};
const hello: LiveEvent = {
  type: "hello",
  seq: 0,
  at: 1_000,
  instance: "i1",
  operator: { presence: "available", since: 500, reserved: null },
  offer: null,
  call: null,
  queues: [
    { id: "q1", name: "代表受付", waiting: 2, longest_since: 700 },
    { id: "q2", name: "注文受付", waiting: 1, longest_since: 600 },
  ],
};

let seq = 0;
const stamp = () => ({ seq: ++seq, at: 1_000 + seq });
const run = (...events: LiveEvent[]) => events.reduce(reduce, unknown);

describe("the life of a call on screen", () => {
  it("rings, is talked on, and ends in wrap-up", () => {
    const ringing = run(hello, { type: "offered", ...stamp(), ...offered });
    expect(panelState(ringing, null)).toBe("ringing");
    expect(panelState(ringing, "k1")).toBe("connecting");
    const accepted = reduce(ringing, { type: "offer_ended", ...stamp(), call: "k1", outcome: "accepted" });
    expect(panelState(accepted, "k1")).toBe("connecting");
    const talking = reduce(accepted, { type: "bridged", ...stamp(), ...current });
    expect(panelState(talking, null)).toBe("talking");
    expect(talking.talk?.since).toBe(2_000);
    const ended = reduce(talking, { type: "call_ended", ...stamp(), call: "k1", fate: "answered" });
    expect(panelState(ended, null)).toBe("idle");
    const wrap = reduce(ended, {
      type: "presence",
      ...stamp(),
      presence: "wrap_up",
      since: 9,
      reserved: null,
    });
    expect(panelState(wrap, null)).toBe("wrap_up");
  });

  it("follows hold by presence alone", () => {
    const talking = run(hello, { type: "bridged", ...stamp(), ...current });
    const held = reduce(talking, {
      type: "presence",
      ...stamp(),
      presence: "hold",
      since: 9,
      reserved: null,
    });
    expect(panelState(held, null)).toBe("hold");
    expect(talking.talk?.state).toBe("talking");
    const back = reduce(held, {
      type: "presence",
      ...stamp(),
      presence: "talking",
      since: 9,
      reserved: null,
    });
    expect(panelState(back, null)).toBe("talking");
  });

  it("ignores the end of another call", () => {
    const talking = run(hello, { type: "bridged", ...stamp(), ...current });
    const same = reduce(talking, { type: "call_ended", ...stamp(), call: "k9", fate: "answered" });
    expect(same.talk).toBe(talking.talk);
    const ringing = run(hello, { type: "offered", ...stamp(), ...offered });
    expect(
      reduce(ringing, { type: "offer_ended", ...stamp(), call: "k9", outcome: "timed_out" }).ring,
    ).not.toBeNull();
  });

  it("takes a missed beginning from hello", () => {
    const state = run({ ...hello, call: current } as LiveEvent);
    expect(panelState(state, null)).toBe("talking");
  });

  it("knows an account that takes no calls", () => {
    const state = run({ ...hello, operator: null } as LiveEvent);
    expect(state.takesCalls).toBe(false);
    expect(state.presence).toBe("offline");
  });

  it("is unmoved by an event of a later version", () => {
    const before = run(hello);
    expect(reduce(before, { type: "transferred", ...stamp() } as unknown as LiveEvent)).toBe(before);
  });
});

describe("waiting callers", () => {
  it("are counted over all queues", () => {
    const state = run(hello);
    expect(totals(state.queues)).toEqual({ waiting: 3, longest: 600 });
    const next = reduce(state, { type: "waiting", ...stamp(), queue: "q2", waiting: 0, longest_since: null });
    expect(totals(next.queues)).toEqual({ waiting: 2, longest: 700 });
    expect(totals([])).toEqual({ waiting: 0, longest: null });
  });
});
