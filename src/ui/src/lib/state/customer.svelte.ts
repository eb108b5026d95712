import { api } from "../api/client";
import type { Failure } from "../api/failure";
import type { Customer, CustomerChange, CustomerField } from "../api/types";
import { formatPhone, plausiblePhone } from "../phone/number";
import { Saver } from "./saver.svelte";

export const fields: CustomerField[] = [
  "name",
  "kana",
  "phone",
  "phone_alt",
  "email",
  "postcode",
  "address",
  "handover",
];

export type CustomerValues = Record<CustomerField, string>;
export type FieldProblem = "fieldPhone" | "fieldEmail" | "fieldPostcode" | "fieldName" | "fieldOther";

/** The customer as the fields show it. */
export function shown(customer: Customer): CustomerValues {
  return {
    name: customer.name,
    kana: customer.kana,
    phone: formatPhone(customer.phone ?? ""),
    phone_alt: formatPhone(customer.phone_alt ?? ""),
    email: customer.email,
    postcode: customer.postcode,
    address: customer.address,
    handover: customer.handover,
  };
}

/** What is wrong with the values, before the server is asked. */
export function problems(values: CustomerValues): Partial<Record<CustomerField, FieldProblem>> {
  const found: Partial<Record<CustomerField, FieldProblem>> = {};
  if (!plausiblePhone(values.phone)) found.phone = "fieldPhone";
  if (!plausiblePhone(values.phone_alt)) found.phone_alt = "fieldPhone";
  if (values.email.trim() !== "" && !/^\S+@\S+$/.test(values.email.trim())) found.email = "fieldEmail";
  if (!/^$|^\d{3}-?\d{4}$/.test(values.postcode.trim().normalize("NFKC"))) found.postcode = "fieldPostcode";
  return found;
}

/** A customer being read and edited. Saves itself; only changed fields are sent. */
export class CustomerDraft {
  base = $state.raw<Customer>() as Customer;
  values = $state<CustomerValues>() as CustomerValues;
  /** The server's version while a conflict waits for a choice. */
  theirs = $state.raw<Customer | null>(null);
  private refused = $state.raw<Partial<Record<CustomerField, FieldProblem>>>({});
  readonly problems = $derived({ ...problems(this.values), ...this.refused });
  readonly saver: Saver;

  constructor(
    customer: Customer,
    private readonly saved: (customer: Customer) => void,
  ) {
    this.base = customer;
    this.values = shown(customer);
    this.saver = new Saver({
      send: () => this.send(),
      conflicted: (current) => {
        this.theirs = current as Customer | null;
      },
      rejected: (failure) => this.reject(failure),
    });
  }

  edited(field: CustomerField): void {
    const { [field]: _, ...others } = this.refused;
    this.refused = others;
    this.saver.edited(Object.keys(problems(this.values)).length === 0);
  }

  /** Fields that differ between this screen and the server's newer version. */
  get differing(): CustomerField[] {
    const theirs = this.theirs;
    if (theirs === null) return [];
    const other = shown(theirs);
    return fields.filter((field) => other[field] !== this.values[field]);
  }

  keepMine(): void {
    if (this.theirs !== null) this.base = this.theirs;
    this.theirs = null;
    this.saver.keepMine();
  }

  takeTheirs(): void {
    if (this.theirs !== null) {
      this.base = this.theirs;
      this.values = shown(this.theirs);
    }
    this.theirs = null;
    this.saver.tookTheirs();
  }

  private async send(): Promise<void> {
    const sent = { ...this.values };
    const before = shown(this.base);
    const change: CustomerChange = { version: this.base.version };
    for (const field of fields) {
      if (sent[field] !== before[field]) change[field] = sent[field];
    }
    if (Object.keys(change).length === 1) return;
    const saved = await api.saveCustomer(this.base.id, change);
    this.base = saved;
    const after = shown(saved);
    for (const field of fields) {
      // What was typed meanwhile stays; the rest takes the server's spelling.
      if (this.values[field] === sent[field]) this.values[field] = after[field];
    }
    this.saved(saved);
  }

  private reject(failure: Failure): void {
    const field = fields.find((name) => name === failure.field);
    const problem: FieldProblem =
      field === "phone" || field === "phone_alt"
        ? "fieldPhone"
        : field === "email"
          ? "fieldEmail"
          : field === "postcode"
            ? "fieldPostcode"
            : field === "name"
              ? "fieldName"
              : "fieldOther";
    if (field !== undefined) this.refused = { ...this.refused, [field]: problem };
  }
}
