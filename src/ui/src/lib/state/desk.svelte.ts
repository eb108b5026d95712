import type { QueryClient } from "@tanstack/svelte-query";
import { api } from "../api/client";
import { Failure, sentence } from "../api/failure";
import type {
  ChosenPresence,
  ContactRecord,
  Customer,
  LiveEvent,
  LiveRequest,
  Me,
  OfferOutcome,
} from "../api/types";
import { t } from "../i18n/language.svelte";
import { type LiveState, panelState, reduce, totals, unknown } from "../live/reducer";
import { type Link, LiveSocket } from "../live/socket";
import { microphoneGranted } from "../phone/microphone";
import { formatPhone } from "../phone/number";
import { Phone } from "../phone/phone.svelte";
import { Ringtone } from "../phone/ringtone";
import { CallControl } from "./call.svelte";
import { serverClock } from "./clock.svelte";
import { notices } from "./notices.svelte";
import { session } from "./session.svelte";
import { Subject, type SubjectCall } from "./subject.svelte";

/** The operator's desk: live state, phone, and what is being worked on. One while logged in. */
export class Desk {
  live = $state.raw<LiveState>(unknown);
  link = $state<Link>("connecting");
  subject = $state.raw<Subject | null>(null);
  private wished = $state<ChosenPresence | null>(null);
  finishing = $state(false);
  /** Read once by the polite live region. */
  announcement = $state("");
  recording = $state<{ id: string; at: number } | null>(null);

  readonly call = new CallControl(this);
  readonly panel = $derived(panelState(this.live, this.call.accepting));
  readonly totals = $derived(totals(this.live.queues));
  readonly inCall = $derived(
    this.panel === "talking" || this.panel === "hold" || this.panel === "connecting",
  );
  /** The radio group's choice: what was just pressed, else what the server says. */
  readonly chosen = $derived<ChosenPresence>(this.wished ?? shownChoice(this.live));
  readonly phone: Phone;
  readonly ringtone = new Ringtone();
  private readonly socket: LiveSocket;
  private instance: string | null = null;

  constructor(
    readonly me: Me,
    private readonly queries: QueryClient,
    play: (stream: MediaStream | null) => void,
  ) {
    const scheme = location.protocol === "http:" ? "ws" : "wss";
    this.socket = new LiveSocket(`${scheme}://${location.host}/api/v1/live`, {
      event: (event) => this.hear(event),
      link: (link) => {
        this.link = link;
        if (link === "replaced") this.standStill();
      },
      ended: () => session.leave(true),
      refused: () => void api.me().catch((failure) => this.checkSession(failure)),
    });
    this.phone = new Phone(async (sdp) => {
      const done = await this.ask({ type: "media_offer", sdp });
      return "sdp" in done ? done.sdp : "";
    }, play);
  }

  open(): void {
    this.socket.open();
  }

  close(): void {
    this.subject?.now();
    this.ringtone.stop();
    this.phone.stop();
    this.socket.close();
    notices.clear();
  }

  /** Takes the account back after it was used on another page. */
  reclaim(): void {
    this.instance = null;
    this.socket.reclaim();
  }

  /** Another page has the account now: its phone rings, not this one's. */
  private standStill(): void {
    this.subject?.now();
    this.ringtone.stop();
    this.phone.stop();
  }

  campaignName(id: string): string {
    return this.me.campaigns.find((campaign) => campaign.id === id)?.name ?? "";
  }

  // Presence

  /** One press: shown at once, taken back with a message if refused. */
  async choose(presence: ChosenPresence): Promise<void> {
    this.ringtone.unlock();
    this.wished = presence;
    try {
      if (presence === "available" && !(await this.phone.start())) return;
      await this.subject?.flush();
      const done = await this.ask({ type: "presence", presence });
      if ("presence" in done) {
        const { presence, since, reserved } = done;
        this.live = { ...this.live, presence, since, reserved };
        this.settled();
      }
      if (presence === "offline" && !this.inCall && this.panel !== "ringing") this.phone.stop();
    } catch (failure) {
      notices.say(
        failure instanceof Failure && failure.code !== "network"
          ? t().presence.refused
          : sentence(t(), failure),
        "error",
      );
    } finally {
      this.wished = null;
    }
  }

  /** 後処理完了: after the last save, take calls again. */
  async finish(): Promise<void> {
    if (this.finishing) return;
    this.finishing = true;
    try {
      if (this.subject !== null && !(await this.subject.flush())) {
        notices.say(t().save.failedLead, "error");
        return;
      }
      await this.choose("available");
    } finally {
      this.finishing = false;
    }
  }

  // Customers

  /** A customer found by hand: joins the call if there is one, else opens on its own. */
  show(customer: Customer): void {
    if (this.subject?.call) {
      this.subject.choose(customer);
      return;
    }
    this.replaceSubject(this.newSubject(null, customer.campaign, [customer]));
  }

  play(id: string, at: number): void {
    this.recording = { id, at };
  }

  // Hearing the server

  private hear(event: LiveEvent): void {
    serverClock.heard(event.at);
    const before = this.live;
    this.live = reduce(before, event);
    switch (event.type) {
      case "hello":
        this.greet(event.instance);
        break;
      case "presence":
        this.settled();
        break;
      case "offered":
        this.offered();
        break;
      case "offer_ended":
        this.offerEnded(event.call, event.outcome);
        break;
      case "bridged":
        this.bridged();
        break;
      case "call_ended":
        this.callEnded(before.talk?.call === event.call);
        break;
    }
  }

  private greet(instance: string): void {
    const renewed = this.instance !== null && this.instance !== instance;
    this.instance = instance;
    this.call.accepting = null;
    this.call.setMuted(this.live.talk?.muted ?? false);
    if (renewed) void this.phone.rebuild();
    else if (this.live.presence !== "offline") void this.startPhoneIfGranted();
    if (this.live.ring === null) this.ringtone.stop();
    else this.offered();
    if (this.live.talk !== null) this.bridged();
    else {
      void this.phone.setActive(false);
      if (this.live.presence === "wrap_up" && this.subject === null) void this.restoreWrapUp();
    }
  }

  private offered(): void {
    const ring = this.live.ring;
    if (ring === null) return;
    const first = ring.customers[0];
    if (first !== undefined) this.queries.setQueryData(["history", first.id], ring.history);
    // Whoever is typing keeps what they type into: the caller is popped only onto an empty desk.
    if (this.subject === null) {
      this.subject = this.newSubject(ring, ring.campaign, ring.customers);
      this.subject.adopt(ring.history);
    }
    const who = callerName(ring.customers, ring.caller);
    this.announcement = t().call.announce(who, ring.queue.name);
    this.call.ring();
  }

  private offerEnded(call: string, outcome: OfferOutcome): void {
    this.ringtone.stop();
    if (outcome === "accepted") return;
    if (call === this.call.accepting) this.call.accepting = null;
    if (outcome === "caller_gone" || outcome === "failed") notices.say(t().call.missed);
    if (outcome === "timed_out") notices.say(t().call.timedOut);
    this.announcement = "";
    if (this.subject?.call?.id === call && !this.subject.unsaved) this.subject = null;
  }

  private bridged(): void {
    const talk = this.live.talk;
    if (talk === null) return;
    this.call.accepting = null;
    this.announcement = "";
    this.ringtone.stop();
    if (!this.phone.stalled)
      void this.phone.start().then(() => this.phone.setActive(this.live.talk !== null));
    if (this.subject?.call?.id !== talk.call) {
      this.replaceSubject(this.newSubject(talk, talk.campaign, talk.customers));
      const first = talk.customers[0];
      if (first !== undefined && talk.history.length > 0) {
        this.queries.setQueryData(["history", first.id], talk.history);
      }
    }
    this.subject?.adopt(talk.history);
  }

  private callEnded(mine: boolean): void {
    this.call.accepting = null;
    this.call.hangUpArmed = false;
    this.ringtone.stop();
    if (!mine) return;
    this.call.setMuted(false);
    void this.phone.setActive(false);
    this.announcement = t().call.ended;
    this.refreshLists();
  }

  /** After wrap-up the desk is cleared, once everything on it is saved. */
  private settled(): void {
    const { presence, talk, ring } = this.live;
    const subject = this.subject;
    if (subject?.call == null || talk !== null || ring !== null || this.call.accepting !== null) return;
    if (presence === "wrap_up" || presence === "talking" || presence === "hold" || presence === "ringing")
      return;
    void subject.flush().then((saved) => {
      if (saved && this.subject === subject && this.live.talk === null && this.live.ring === null) {
        this.subject = null;
        this.refreshLists();
      }
    });
  }

  /** The page was reloaded during wrap-up: the last call is what it is about. */
  private async restoreWrapUp(): Promise<void> {
    const rows = await api.calls(5).catch(() => []);
    const row = rows.find((candidate) => candidate.call?.operator === this.me.account.id);
    const call = row?.call;
    if (!call?.campaign || this.subject !== null) return;
    const customer = call.customer === null ? null : await api.customer(call.customer).catch(() => null);
    if (this.subject !== null || this.live.presence !== "wrap_up") return;
    const queue = this.me.queues.find((known) => known.id === call.queue);
    const about = {
      call: call.id,
      queue: { id: call.queue ?? "", name: queue?.name ?? "" },
      caller: call.caller,
    };
    this.subject = this.newSubject(about, call.campaign, customer === null ? [] : [customer]);
    this.subject.adopt(rows);
  }

  private async startPhoneIfGranted(): Promise<void> {
    if (await microphoneGranted()) await this.phone.start();
  }

  private newSubject(
    call: { call: string; queue: SubjectCall["queue"]; caller: string } | null,
    campaign: string,
    customers: Customer[],
  ): Subject {
    const about = call === null ? null : { id: call.call, queue: call.queue, caller: call.caller };
    return new Subject(about, campaign, customers, this.me.tenant.time_zone, {
      customerSaved: () => this.customerSaved(),
      recordSaved: (record) => this.recordSaved(record),
    });
  }

  private replaceSubject(next: Subject): void {
    this.subject?.now();
    this.subject = next;
  }

  private customerSaved(): void {
    void this.queries.invalidateQueries({ queryKey: ["callbacks"] });
  }

  private recordSaved(record: ContactRecord): void {
    if (record.customer !== null)
      void this.queries.invalidateQueries({ queryKey: ["history", record.customer] });
    void this.queries.invalidateQueries({ queryKey: ["callbacks"] });
    void this.queries.invalidateQueries({ queryKey: ["calls"] });
  }

  private refreshLists(): void {
    void this.queries.invalidateQueries({ queryKey: ["history"] });
    void this.queries.invalidateQueries({ queryKey: ["calls"] });
    void this.queries.invalidateQueries({ queryKey: ["callbacks"] });
  }

  /** Asks over the live connection. @throws Failure when refused or not answered */
  ask(request: LiveRequest) {
    return this.socket.request(request);
  }

  private checkSession(failure: unknown): void {
    if (failure instanceof Failure && failure.status === 401) session.leave(true);
  }
}

/** The name to show for a caller. */
export function callerName(customers: Customer[], caller: string): string {
  const only = customers.length === 1 ? customers[0] : undefined;
  if (only !== undefined) return t().call.honorific(only.name);
  return caller === "" ? t().call.withheld : formatPhone(caller);
}

function shownChoice(live: LiveState): ChosenPresence {
  const { presence, reserved } = live;
  if (presence === "away" || presence === "wrap_up" || presence === "offline") return presence;
  if (reserved === "away" || reserved === "wrap_up" || reserved === "offline") return reserved;
  return "available";
}
