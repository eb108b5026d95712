import { Failure } from "../api/failure";
import type { LiveAnswer, LiveEvent, LiveRequest } from "../api/types";
import { backoff } from "./backoff";

/** `replaced`: the same account opened the console elsewhere; this one stays still. */
export type Link = "connecting" | "up" | "down" | "replaced";
export type Done = Extract<LiveAnswer, { type: "done" }>;

export type Listeners = {
  event: (event: LiveEvent) => void;
  link: (link: Link) => void;
  /** The server ended the session: no reconnecting. */
  ended: () => void;
  /** A connection could not be made: the caller may want to check the session. */
  refused: () => void;
};

type Pending = { resolve: (done: Done) => void; reject: (failure: Failure) => void; timer: number };

const REPLACED = 4000;
const SESSION_ENDED = 4001;
const ANSWER_WITHIN = 10_000;
const PING_EVERY = 20_000;
const MOST_PENDING = 32;

/** The live WebSocket: reconnects by itself and resumes from the last event number. */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private instance: string | null = null;
  private seq = 0;
  private nextId = 1;
  private tries = 0;
  private link: Link = "connecting";
  private closed = false;
  private readonly pending = new Map<number, Pending>();
  private reconnectTimer = 0;
  private pingTimer = 0;

  constructor(
    private readonly url: string,
    private readonly listeners: Listeners,
  ) {
    window.addEventListener("online", this.hurry);
  }

  open(): void {
    if (this.closed) return;
    const socket = new WebSocket(this.url);
    let opened = false;
    this.socket = socket;
    socket.onopen = () => {
      opened = true;
      socket.send(JSON.stringify({ type: "resume", instance: this.instance, seq: this.seq }));
      // A resume that missed nothing is silent; the answer to a ping tells that the line is up.
      void this.request({ type: "ping" }).catch(() => {});
    };
    socket.onmessage = (message) => this.read(message.data);
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.drop();
      if (event.code === SESSION_ENDED) return this.end();
      if (event.code === REPLACED) return this.become("replaced");
      if (!opened) this.listeners.refused();
      this.again();
    };
  }

  /** @throws Failure when refused, not answered in time, or the line is down. */
  request(request: LiveRequest): Promise<Done> {
    const socket = this.socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN || this.pending.size >= MOST_PENDING) {
      return Promise.reject(Failure.network());
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => {
        this.pending.delete(id);
        reject(Failure.network());
        // A line that does not answer is dead even if the socket has not noticed.
        this.reset();
      }, ANSWER_WITHIN);
      this.pending.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ id, ...request }));
    });
  }

  /** Takes the account back to this page after it was used elsewhere. */
  reclaim(): void {
    if (this.link !== "replaced") return;
    this.become("connecting");
    this.open();
  }

  close(): void {
    this.closed = true;
    window.removeEventListener("online", this.hurry);
    window.clearTimeout(this.reconnectTimer);
    const socket = this.socket;
    this.drop();
    socket?.close(1000);
  }

  private readonly hurry = (): void => {
    if (this.closed || this.socket !== null || this.link === "replaced") return;
    window.clearTimeout(this.reconnectTimer);
    this.tries = 0;
    this.open();
  };

  private read(data: unknown): void {
    if (typeof data !== "string") return;
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame !== "object" || frame === null) return;
    this.become("up");
    if ("re" in frame) {
      this.answer(frame as LiveAnswer);
      return;
    }
    const event = frame as LiveEvent;
    if (event.type === "hello") {
      this.instance = event.instance;
      this.seq = event.seq;
    } else if (typeof event.seq === "number") {
      if (event.seq <= this.seq) return;
      this.seq = event.seq;
    }
    this.listeners.event(event);
    if (event.type === "session_ended") this.end();
  }

  private answer(frame: LiveAnswer): void {
    const waiting = this.pending.get(frame.re);
    if (waiting === undefined) return;
    this.pending.delete(frame.re);
    window.clearTimeout(waiting.timer);
    if (frame.type === "done") waiting.resolve(frame);
    else waiting.reject(new Failure(200, frame.code, frame.message, null, null));
  }

  private become(link: Link): void {
    if (link === "up" && this.link !== "up") {
      this.tries = 0;
      this.pingTimer = window.setInterval(() => {
        void this.request({ type: "ping" }).catch(() => {});
      }, PING_EVERY);
    }
    if (link !== this.link) {
      this.link = link;
      this.listeners.link(link);
    }
  }

  private drop(): void {
    this.socket = null;
    window.clearInterval(this.pingTimer);
    for (const waiting of this.pending.values()) {
      window.clearTimeout(waiting.timer);
      waiting.reject(Failure.network());
    }
    this.pending.clear();
  }

  private reset(): void {
    const socket = this.socket;
    if (socket === null) return;
    this.drop();
    socket.close();
    this.again();
  }

  private again(): void {
    if (this.closed) return;
    this.become("down");
    const wait = backoff(this.tries++, 400, 15_000, Math.random());
    this.reconnectTimer = window.setTimeout(() => this.open(), wait);
  }

  private end(): void {
    this.close();
    this.listeners.ended();
  }
}
