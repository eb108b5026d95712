import { describe, expect, it } from "vitest";
import { clockTime, dayTime, dueTime, duration, fromField, proposedDue, toField } from "./time";

const TOKYO = "Asia/Tokyo";
const at = Date.UTC(2026, 10, 24, 5, 12);

describe("durations", () => {
  it.each([
    [0, "0:00"],
    [-5_000, "0:00"],
    [999, "0:00"],
    [61_000, "1:01"],
    [3_599_000, "59:59"],
    [3_600_000, "1:00:00"],
    [36_061_000, "10:01:01"],
  ])("%d ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("times in the tenant's zone", () => {
  it("drop the year when it is this year", () => {
    expect(dayTime(at, TOKYO, at)).toBe("11/24 14:12");
    expect(dayTime(at, TOKYO, Date.UTC(2027, 0, 5))).toBe("2026/11/24 14:12");
    // New Year's Eve in UTC is already the new year in Tokyo.
    expect(dayTime(Date.UTC(2026, 11, 31, 16, 0), TOKYO, Date.UTC(2027, 0, 5))).toBe("01/01 01:00");
  });

  it("drop the day when it is today", () => {
    expect(dueTime(at, TOKYO, at)).toBe("14:12");
    expect(dueTime(at, TOKYO, at - 86_400_000)).toBe("11/24 14:12");
    expect(clockTime(Date.UTC(2026, 10, 24, 15, 0), TOKYO)).toBe("00:00");
  });

  it("go to a field and back, also across a change of clocks", () => {
    expect(toField(at, TOKYO)).toBe("2026-11-24T14:12");
    expect(fromField("2026-11-24T14:12", TOKYO)).toBe(at);
    for (const zone of ["America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"]) {
      for (let day = 0; day < 366; day += 1) {
        const moment = Date.UTC(2026, 0, 1, 12, 30) + day * 86_400_000;
        expect(fromField(toField(moment, zone), zone)).toBe(moment);
      }
    }
  });

  it("give nothing for what is no time", () => {
    for (const text of ["", "x", "2026-11-24", "2026-13-40T99:99"]) expect(fromField(text, TOKYO)).toBeNull();
  });

  it("propose a due time an hour or more ahead, on the half hour", () => {
    const due = proposedDue(at);
    expect(due - at).toBeGreaterThanOrEqual(3_600_000);
    expect(due % 1_800_000).toBe(0);
  });
});
