import { api } from "../api/client";
import type { ContactRecord, NextAction } from "../api/types";
import { Saver } from "./saver.svelte";
import { fromField, proposedDue, toField } from "./time";

export type RecordValues = {
  topic: string;
  disposition: string;
  next_action: NextAction;
  /** A `datetime-local` value in the tenant's zone. */
  due: string;
  note: string;
};

const blank: RecordValues = { topic: "", disposition: "", next_action: "none", due: "", note: "" };

/** The contact record being written for one call or one opened customer. */
export class RecordDraft {
  values = $state<RecordValues>({ ...blank });
  theirs = $state.raw<ContactRecord | null>(null);
  customer = $state.raw<string | null>(null);
  private version = 0;
  readonly dueMissing = $derived(this.values.next_action !== "none" && this.values.due === "");
  readonly saver: Saver;
  /** A record without a call can't be saved twice (the server would keep two): a button saves it. */
  readonly byHand: boolean;

  constructor(
    readonly campaign: string,
    readonly call: string | null,
    customer: string | null,
    private readonly zone: string,
    private readonly saved: (record: ContactRecord) => void,
  ) {
    this.customer = customer;
    this.byHand = call === null;
    this.saver = new Saver(
      {
        send: () => this.send(),
        conflicted: (current) => {
          this.theirs = current as ContactRecord | null;
        },
        rejected: () => {},
      },
      !this.byHand,
    );
  }

  /** Whether anything was written or saved. */
  get begun(): boolean {
    return this.version > 0 || this.saver.unsaved;
  }

  edited(): void {
    this.saver.edited(!this.dueMissing);
  }

  /** The note lost the focus. */
  left(): void {
    if (!this.byHand) this.saver.now();
  }

  /** Choosing a next action proposes a time for it; none needs none. */
  chooseNext(now: number): void {
    if (this.values.next_action === "none") this.values.due = "";
    else if (this.values.due === "") this.values.due = toField(proposedDue(now), this.zone);
    this.edited();
  }

  /** A record of this call that was saved before this page was opened. */
  adopt(record: ContactRecord): void {
    if (this.begun) return;
    this.fill(record);
  }

  /** The caller turned out to be this customer. */
  attach(customer: string | null): void {
    if (this.customer === customer) return;
    this.customer = customer;
    if (this.begun) this.edited();
  }

  keepMine(): void {
    if (this.theirs !== null) this.version = this.theirs.version;
    this.theirs = null;
    this.saver.keepMine();
  }

  takeTheirs(): void {
    if (this.theirs !== null) this.fill(this.theirs);
    this.theirs = null;
    this.saver.tookTheirs();
  }

  private fill(record: ContactRecord): void {
    this.version = record.version;
    this.customer = record.customer ?? this.customer;
    this.values = {
      topic: record.topic,
      disposition: record.disposition,
      next_action: record.next_action,
      due: record.due_at === null ? "" : toField(record.due_at, this.zone),
      note: record.note,
    };
  }

  private async send(): Promise<void> {
    const { due, ...values } = this.values;
    const record = await api.saveRecord({
      campaign: this.campaign,
      customer: this.customer,
      call: this.call,
      ...values,
      due_at: fromField(due, this.zone),
      version: this.version,
    });
    if (this.byHand) {
      // What was typed while it was being saved begins the next record.
      const note = this.values.note === values.note ? "" : this.values.note;
      this.values = { ...blank, note };
    } else this.version = record.version;
    this.saved(record);
  }
}
