import createClient from "openapi-fetch";
import type { paths } from "../../../generated/schema";
import { Failure } from "./failure";
import type { ContactDraft, CustomerChange } from "./types";

let sessionLost: () => void = () => {};

/** Called for every answer that says the session is gone. */
export function onSessionLost(listener: () => void): void {
  sessionLost = listener;
}

const client = createClient<paths>({
  headers: { "x-bluebean": "1" },
  credentials: "same-origin",
  cache: "no-store",
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer's body. @throws Failure for every refusal, and when no answer came */
async function take<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked.catch(() => {
    throw Failure.network();
  });
  if (response.ok) return data as T;
  const failure = Failure.from(response.status, error);
  if (failure.code === "no_session") sessionLost();
  throw failure;
}

export const api = {
  me: () => take(client.GET("/api/v1/session")),
  logIn: (tenant: string, login: string, password: string) =>
    take(client.POST("/api/v1/session", { body: { tenant, login, password } })),
  logOut: () => take(client.DELETE("/api/v1/session")),
  customers: async (q: string, limit = 20) =>
    (await take(client.GET("/api/v1/customers", { params: { query: { q, limit } } }))).customers,
  customer: (id: string) => take(client.GET("/api/v1/customers/{id}", { params: { path: { id } } })),
  /** Outlives the page: what was typed just before it closed still arrives. */
  saveCustomer: (id: string, change: CustomerChange) =>
    take(client.PUT("/api/v1/customers/{id}", { params: { path: { id } }, body: change, keepalive: true })),
  history: async (id: string, limit: number) =>
    (await take(client.GET("/api/v1/customers/{id}/history", { params: { path: { id }, query: { limit } } })))
      .rows,
  calls: async (limit: number) =>
    (await take(client.GET("/api/v1/calls", { params: { query: { limit } } }))).rows,
  callbacks: async () => (await take(client.GET("/api/v1/callbacks"))).rows,
  saveRecord: (draft: ContactDraft) =>
    take(client.PUT("/api/v1/contact-records", { body: draft, keepalive: true })),
  recording: (id: string) => take(client.GET("/api/v1/recordings/{id}", { params: { path: { id } } })),
  audioUrl: (id: string) => `/api/v1/recordings/${encodeURIComponent(id)}/audio`,
};
