import type { ContactRecord, Customer, HistoryRow, QueueName } from "../api/types";
import { CustomerDraft } from "./customer.svelte";
import { RecordDraft } from "./record.svelte";

export type SubjectCall = { id: string; queue: QueueName; caller: string };

export type SubjectEvents = {
  customerSaved: (customer: Customer) => void;
  recordSaved: (record: ContactRecord) => void;
};

/** `several`: more than one customer has the number and none is chosen yet. */
export type Found = "one" | "several" | "unknown";

/** What the operator is working on: a call's caller, or a customer opened by hand. */
export class Subject {
  candidates = $state.raw<Customer[]>([]);
  draft = $state.raw<CustomerDraft | null>(null);
  found = $state<Found>("unknown");
  readonly record: RecordDraft;
  /** Customers edited before another was chosen: their last save may still run. */
  private readonly earlier: CustomerDraft[] = [];

  constructor(
    readonly call: SubjectCall | null,
    campaign: string,
    customers: Customer[],
    zone: string,
    private readonly events: SubjectEvents,
  ) {
    this.candidates = customers;
    this.record = new RecordDraft(campaign, call?.id ?? null, null, zone, events.recordSaved);
    const only = customers.length === 1 ? customers[0] : undefined;
    if (only !== undefined) this.choose(only);
    else this.found = customers.length === 0 ? "unknown" : "several";
  }

  choose(customer: Customer): void {
    if (this.draft !== null) {
      this.draft.saver.now();
      this.earlier.push(this.draft);
    }
    this.draft = new CustomerDraft(customer, this.events.customerSaved);
    this.found = "one";
    this.record.attach(customer.id);
  }

  /** None of the customers with that number. */
  chooseNone(): void {
    if (this.draft !== null) this.earlier.push(this.draft);
    this.draft = null;
    this.found = "unknown";
    this.record.attach(null);
  }

  reconsider(): void {
    this.found = "several";
  }

  /** Takes over this call's record from history rows, if one was saved before. */
  adopt(rows: HistoryRow[]): void {
    const call = this.call?.id;
    if (call === undefined) return;
    const record = rows.find((row) => row.contact?.call === call)?.contact;
    if (record) this.record.adopt(record);
  }

  get unsaved(): boolean {
    return this.record.saver.unsaved || this.drafts().some((draft) => draft.saver.unsaved);
  }

  /** Sends what is unsaved, without waiting. */
  now(): void {
    this.record.saver.now();
    for (const draft of this.drafts()) draft.saver.now();
  }

  /** True when nothing is left unsaved. */
  async flush(): Promise<boolean> {
    const results = await Promise.all([
      this.record.saver.flush(),
      ...this.drafts().map((draft) => draft.saver.flush()),
    ]);
    return results.every(Boolean);
  }

  private drafts(): CustomerDraft[] {
    return this.draft === null ? this.earlier : [...this.earlier, this.draft];
  }
}
