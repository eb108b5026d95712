import { Failure } from "./failure";
import type {
  CallbackRow,
  ContactRecord,
  Customer,
  CustomerField,
  HistoryRow,
  Me,
  NextAction,
  Recording,
} from "./types";

const BASE = "/api/v1";
let sessionLost: () => void = () => {};

/** Called once per answer that says the session is gone. */
export function onSessionLost(listener: () => void): void {
  sessionLost = listener;
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["x-bluebean"] = "1";
  if (body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      keepalive: method === "PUT",
    });
  } catch {
    throw Failure.network();
  }
  const parsed: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return parsed as T;
  const failure = Failure.from(response.status, parsed);
  if (failure.code === "no_session" && path !== "/session") sessionLost();
  throw failure;
}

export type CustomerChange = { version: number } & Partial<Record<CustomerField, string | null>>;

export type RecordDraft = {
  campaign: string;
  customer: string | null;
  call: string | null;
  topic: string;
  disposition: string;
  next_action: NextAction;
  due_at: number | null;
  note: string;
  version: number;
};

export const api = {
  me: () => request<Me>("GET", "/session"),
  logIn: (tenant: string, login: string, password: string) =>
    request<Me>("POST", "/session", { tenant, login, password }),
  logOut: () => request<null>("DELETE", "/session"),
  customers: async (q: string, limit = 20) =>
    (await request<{ customers: Customer[] }>("GET", `/customers?q=${encodeURIComponent(q)}&limit=${limit}`))
      .customers,
  customer: (id: string) => request<Customer>("GET", `/customers/${encodeURIComponent(id)}`),
  saveCustomer: (id: string, change: CustomerChange) =>
    request<Customer>("PUT", `/customers/${encodeURIComponent(id)}`, change),
  history: async (customer: string, limit = 50) =>
    (
      await request<{ rows: HistoryRow[] }>(
        "GET",
        `/customers/${encodeURIComponent(customer)}/history?limit=${limit}`,
      )
    ).rows,
  calls: async (limit = 50) => (await request<{ rows: HistoryRow[] }>("GET", `/calls?limit=${limit}`)).rows,
  callbacks: async () => (await request<{ rows: CallbackRow[] }>("GET", "/callbacks")).rows,
  saveRecord: (draft: RecordDraft) => request<ContactRecord>("PUT", "/contact-records", draft),
  recording: (id: string) => request<Recording>("GET", `/recordings/${encodeURIComponent(id)}`),
  audioUrl: (id: string) => `${BASE}/recordings/${encodeURIComponent(id)}/audio`,
};
