import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LiveEvent } from "../api/types";
import { type Link, LiveSocket } from "./socket";

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: () => void = () => {};
  onmessage: (message: { data: string }) => void = () => {};
  onclose: (event: { code: number }) => void = () => {};

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  opens(): void {
    this.readyState = 1;
    this.onopen();
  }

  says(frame: unknown): void {
    this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  drops(code: number): void {
    this.readyState = 3;
    this.onclose({ code });
  }
}

const hello = {
  type: "hello",
  seq: 5,
  at: 1,
  instance: "i1",
  operator: null,
  offer: null,
  call: null,
  queues: [],
};
let events: LiveEvent[];
let links: Link[];
let ended: number;
let socket: LiveSocket;

function last(): FakeSocket {
  const found = FakeSocket.all.at(-1);
  if (found === undefined) throw new Error("no socket was opened");
  return found;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    "window",
    Object.assign(globalThis, { addEventListener: vi.fn(), removeEventListener: vi.fn() }),
  );
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  events = [];
  links = [];
  ended = 0;
  socket = new LiveSocket("wss://x/api/v1/live", {
    event: (event) => events.push(event),
    link: (link) => links.push(link),
    ended: () => ended++,
    refused: () => {},
  });
  socket.open();
  last().opens();
});

afterEach(() => {
  socket.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("LiveSocket", () => {
  it("opens with resume, then numbers its requests", async () => {
    expect(last().sent[0]).toEqual({ type: "resume", instance: null, seq: 0 });
    last().says(hello);
    const done = socket.request({ type: "accept", call: "k1" });
    const request = last().sent.at(-1);
    expect(request).toMatchObject({ type: "accept", call: "k1" });
    last().says({ re: request?.id, type: "done" });
    await expect(done).resolves.toMatchObject({ type: "done" });
  });

  it("refuses with the server's code", async () => {
    const refused = socket.request({ type: "hang_up", call: "k1" });
    last().says({ re: last().sent.at(-1)?.id, type: "refused", code: "state", message: "No." });
    await expect(refused).rejects.toMatchObject({ code: "state" });
  });

  it("resumes after a drop and hears nothing twice", async () => {
    last().says(hello);
    last().says({ type: "session_ended_soon", seq: 6, at: 2 });
    const lost = socket.request({ type: "ping" });
    last().drops(1006);
    await expect(lost).rejects.toMatchObject({ code: "network" });
    expect(links.at(-1)).toBe("down");
    vi.advanceTimersByTime(1_000);
    last().opens();
    expect(last().sent[0]).toEqual({ type: "resume", instance: "i1", seq: 6 });
    last().says({ type: "presence", seq: 6, at: 3 });
    last().says({ type: "presence", seq: 7, at: 4 });
    expect(events.map((event) => event.seq)).toEqual([5, 6, 7]);
    expect(links.at(-1)).toBe("up");
  });

  it("drops a line that does not answer", async () => {
    last().says(hello);
    const asked = expect(socket.request({ type: "ping" })).rejects.toMatchObject({ code: "network" });
    vi.advanceTimersByTime(10_500);
    await asked;
    expect(links.at(-1)).toBe("down");
    vi.advanceTimersByTime(1_000);
    expect(FakeSocket.all.length).toBeGreaterThan(1);
  });

  it("stands still when another page takes over, until told otherwise", () => {
    last().drops(4000);
    expect(links.at(-1)).toBe("replaced");
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all.length).toBe(1);
    socket.reclaim();
    expect(FakeSocket.all.length).toBe(2);
  });

  it("does not come back after the session ended", () => {
    last().drops(4001);
    expect(ended).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all.length).toBe(1);
  });

  it("survives nonsense", () => {
    for (const frame of ["", "{", "null", "7", "[]", '"x"', '{"re":"x"}', '{"type":1,"seq":"a"}'])
      last().says(frame);
    expect(links).not.toContain("down");
  });
});
