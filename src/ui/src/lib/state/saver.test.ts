import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../api/failure";
import { Saver } from "./saver.svelte";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function saver(send: () => Promise<void>, quiet = true) {
  const conflicted = vi.fn();
  const rejected = vi.fn();
  return { saver: new Saver({ send, conflicted, rejected }, quiet), conflicted, rejected };
}

describe("Saver", () => {
  it("saves by itself after the quiet time", async () => {
    const send = vi.fn(async () => {});
    const it = saver(send).saver;
    it.edited(true);
    await vi.advanceTimersByTimeAsync(799);
    expect(send).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2);
    expect(send).toHaveBeenCalledOnce();
    expect(it.status).toBe("saved");
  });

  it("flushes also what is typed while a save runs", async () => {
    const it = saver(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }).saver;
    it.edited(true);
    const flushed = it.flush();
    it.edited(true);
    await vi.advanceTimersByTimeAsync(200);
    expect(await flushed).toBe(true);
    expect(it.unsaved).toBe(false);
  });

  it("says when a flush did not save", async () => {
    const it = saver(async () => {
      throw Failure.network();
    }).saver;
    it.edited(true);
    expect(await it.flush()).toBe(false);
    expect(it.status).toBe("failed");
    it.stop();
  });

  it("hands over a conflict's other version", async () => {
    const { saver: it, conflicted } = saver(async () => {
      throw new Failure(409, "conflict", "newer", null, { version: 9 });
    });
    it.edited(true);
    expect(await it.flush()).toBe(false);
    expect(conflicted).toHaveBeenCalledWith({ version: 9 });
    expect(it.status).toBe("conflict");
  });

  it("without a quiet time waits for a person, but retries a failed save", async () => {
    const send = vi.fn(async () => {});
    send.mockRejectedValueOnce(Failure.network());
    const it = saver(send, false).saver;
    it.edited(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(send).not.toHaveBeenCalled();
    it.now();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(send).toHaveBeenCalledTimes(2);
    expect(it.status).toBe("saved");
  });
});
