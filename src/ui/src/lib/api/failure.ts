import type { Texts } from "../i18n/shape";

/** A refusal or failure of the server, with its stable code. */
export class Failure extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  /** The server's version on a conflict. */
  readonly current: unknown;

  constructor(status: number, code: string, message: string, field: string | null, current: unknown) {
    super(message);
    this.name = "Failure";
    this.status = status;
    this.code = code;
    this.field = field;
    this.current = current;
  }

  static network(): Failure {
    return new Failure(0, "network", "no answer from the server", null, null);
  }

  /** From an error answer's parsed body, whatever it holds. */
  static from(status: number, body: unknown): Failure {
    const error = record(record(body).error);
    return new Failure(
      status,
      typeof error.code === "string" ? error.code : fallbackCode(status),
      typeof error.message === "string" ? error.message : `HTTP ${status}`,
      typeof error.field === "string" ? error.field : null,
      record(body).current ?? null,
    );
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function fallbackCode(status: number): string {
  if (status === 401) return "no_session";
  if (status === 404) return "not_found";
  if (status === 409) return "conflict";
  if (status === 422) return "field";
  if (status === 429 || status === 503) return "busy";
  return "unknown";
}

/** The sentence a person reads for a failure. */
export function sentence(texts: Texts, failure: unknown): string {
  const known = texts.errors as Record<string, string>;
  const code = failure instanceof Failure ? failure.code : "unknown";
  return (Object.hasOwn(known, code) ? known[code] : undefined) ?? texts.errors.unknown;
}

/** Code and status, shown only under 詳細. */
export function detail(failure: unknown): string {
  return failure instanceof Failure ? `${failure.status} ${failure.code}` : "unknown";
}
