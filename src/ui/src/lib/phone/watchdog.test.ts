import { describe, expect, it } from "vitest";
import { STALLED, type Watch, watch, watchFrom } from "./watchdog";

/** Readings a second; gives the seconds at which a restart was asked for. */
function restarts(
  seconds: number,
  packets: (second: number) => number,
  stun: (second: number) => number,
): number[] {
  const reading = (second: number) => ({
    at: second * 1000,
    packetsReceived: packets(second),
    stunResponses: stun(second),
  });
  let state: Watch = watchFrom(reading(0));
  const found: number[] = [];
  for (let second = 1; second <= seconds; second++) {
    const seen = watch(state, reading(second));
    state = seen.watch;
    if (seen.restart) found.push(second);
  }
  return found;
}

describe("watchdog", () => {
  it("leaves a flowing call alone", () => {
    expect(
      restarts(
        600,
        (s) => s * 50,
        (s) => Math.floor(s / 2.5),
      ),
    ).toEqual([]);
  });

  it("acts soon after packets stop", () => {
    const first = restarts(
      20,
      (s) => Math.min(s, 5) * 50,
      () => 3,
    )[0];
    expect(first).toBe(5 + Math.ceil(STALLED / 1000));
  });

  it("asks ever more rarely while the far end is merely silent", () => {
    const found = restarts(
      300,
      () => 100,
      (s) => Math.floor(s / 2.5),
    );
    expect(found.length).toBeLessThanOrEqual(8);
    expect(found.length).toBeGreaterThanOrEqual(3);
  });

  it("keeps trying while the path is gone", () => {
    expect(
      restarts(
        60,
        () => 100,
        () => 3,
      ).length,
    ).toBeGreaterThanOrEqual(8);
  });

  it("begins afresh once packets come again", () => {
    const found = restarts(
      40,
      (s) => (s < 10 ? 0 : s < 30 ? s * 50 : 30 * 50),
      () => 3,
    );
    expect(found.some((second) => second > 30 && second <= 34)).toBe(true);
  });
});
