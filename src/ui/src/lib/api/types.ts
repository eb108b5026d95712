/** Times are milliseconds since the epoch, UTC. */
export type Presence =
  | "available"
  | "ringing"
  | "dialing"
  | "talking"
  | "hold"
  | "wrap_up"
  | "away"
  | "offline";

/** The states an operator may ask for. */
export type ChosenPresence = "available" | "away" | "wrap_up" | "offline";

export type Me = {
  account: { id: string; login: string; name: string; role: string };
  tenant: { id: string; slug: string; name: string; time_zone: string };
  campaigns: Campaign[];
  queues: { id: string; name: string; campaign: string }[];
};

export type Campaign = { id: string; name: string; topics: string[]; dispositions: string[] };

export type Customer = {
  id: string;
  campaign: string;
  code: string;
  name: string;
  kana: string;
  phone: string | null;
  phone_alt: string | null;
  email: string;
  postcode: string;
  address: string;
  handover: string;
  extra: [string, string][];
  version: number;
  updated_at: number;
};

export type CustomerField =
  | "name"
  | "kana"
  | "phone"
  | "phone_alt"
  | "email"
  | "postcode"
  | "address"
  | "handover";

export type NextAction = "none" | "callback" | "auto_redial" | "visit";

export type ContactRecord = {
  id: string;
  campaign: string;
  customer: string | null;
  call: string | null;
  account: string;
  topic: string;
  disposition: string;
  next_action: NextAction;
  due_at: number | null;
  note: string;
  created_at: number;
  updated_at: number;
  version: number;
};

export type Fate = "answered" | "abandoned" | "completed" | "refused" | "interrupted";

export type Call = {
  id: string;
  caller: string;
  called: string;
  campaign: string | null;
  queue: string | null;
  customer: string | null;
  operator: string | null;
  recording: string | null;
  started_at: number;
  queued_at: number | null;
  answered_at: number | null;
  ended_at: number | null;
  fate: Fate | null;
};

export type HistoryRow = {
  at: number;
  call: Call | null;
  contact: ContactRecord | null;
  operator: string;
};

export type CallbackRow = { record: ContactRecord; customer: Customer | null };

export type Recording = {
  id: string;
  call: string;
  campaign: string | null;
  state: "spooling" | "sealed" | "recovered" | "lost";
  started_at: number;
  duration_ms: number;
  operator_name: string;
  peaks: { left: number[]; right: number[] };
};
