import type { Customer, Fate, HistoryRow, Presence } from "../api/types";

export type QueueName = { id: string; name: string };

/** A call ringing at this operator. `history` is that of the first customer. */
export type Offered = {
  offer: string;
  call: string;
  queue: QueueName;
  campaign: string;
  caller: string;
  waited_ms: number;
  ring_seconds: number;
  customers: Customer[];
  history: HistoryRow[];
};

/** The call this operator is in. */
export type Current = {
  call: string;
  queue: QueueName;
  campaign: string;
  caller: string;
  state: "talking" | "hold";
  since: number;
  muted: boolean;
  recording: string | null;
  customers: Customer[];
  history: HistoryRow[];
};

export type QueueNow = { id: string; name: string; waiting: number; longest_since: number | null };

export type OfferOutcome = "accepted" | "refused" | "timed_out" | "caller_gone" | "failed";

type Stamp = { seq: number; at: number };

export type Hello = Stamp & {
  type: "hello";
  instance: string;
  operator: { presence: Presence; since: number; reserved: Presence | null };
  offer: Offered | null;
  call: Current | null;
  queues: QueueNow[];
};

export type LiveEvent =
  | Hello
  | (Stamp & { type: "presence"; presence: Presence; since: number; reserved: Presence | null })
  | (Stamp & Offered & { type: "offered" })
  | (Stamp & { type: "offer_ended"; call: string; outcome: OfferOutcome })
  | (Stamp & {
      type: "bridged";
      call: string;
      queue: QueueName;
      campaign: string;
      caller: string;
      recording: string | null;
      customers: Customer[];
    })
  | (Stamp & { type: "call_ended"; call: string; fate: Fate | null })
  | (Stamp & { type: "waiting"; queue: string; waiting: number; longest_since: number | null })
  | (Stamp & { type: "session_ended" });

export type LiveRequest =
  | { type: "media_offer"; sdp: string }
  | { type: "presence"; presence: Presence }
  | { type: "accept"; call: string }
  | { type: "refuse"; call: string }
  | { type: "hang_up"; call: string }
  | { type: "mute"; call: string; muted: boolean }
  | { type: "hold"; call: string; held: boolean }
  | { type: "ping" };

export type Done = {
  re: number;
  type: "done";
  sdp?: string;
  presence?: Presence;
  since?: number;
  reserved?: Presence | null;
};

export type Refused = { re: number; type: "refused"; code: string; message: string };
