import { Failure, sentence } from "../api/failure";
import type { LiveRequest } from "../api/types";
import { t } from "../i18n/language.svelte";
import type { Desk } from "./desk.svelte";
import { notices } from "./notices.svelte";

const HANG_UP_TWICE = 2_000;
const BRIDGED_WITHIN = 5_000;

/** What the operator does with the call that rings or is talked on. */
export class CallControl {
  /** The call whose answer was pressed and is not bridged yet. */
  accepting = $state<string | null>(null);
  muted = $state(false);
  hangUpArmed = $state(false);
  private armedTimer = 0;

  constructor(private readonly desk: Desk) {}

  async answer(): Promise<void> {
    const ring = this.desk.live.ring;
    if (ring === null || this.accepting !== null) return;
    this.accepting = ring.call;
    this.desk.ringtone.stop();
    try {
      if (!(await this.desk.phone.start())) {
        this.accepting = null;
        this.ring();
        return;
      }
      await this.desk.phone.setActive(true);
      await this.desk.ask({ type: "accept", call: ring.call });
      window.setTimeout(() => {
        if (this.accepting !== ring.call) return;
        this.accepting = null;
        if (this.desk.live.talk === null) void this.desk.phone.setActive(false);
      }, BRIDGED_WITHIN);
    } catch (failure) {
      this.accepting = null;
      if (this.desk.live.talk === null) await this.desk.phone.setActive(false);
      notices.say(
        failure instanceof Failure && failure.status === 0 ? sentence(t(), failure) : t().call.missed,
        "error",
      );
    }
  }

  async refuse(): Promise<void> {
    const ring = this.desk.live.ring;
    if (ring !== null) await this.order({ type: "refuse", call: ring.call });
  }

  /** By key it takes two presses within two seconds. */
  async hangUp(byKey: boolean): Promise<void> {
    const talk = this.desk.live.talk;
    if (talk === null) return;
    if (byKey && !this.hangUpArmed) {
      this.hangUpArmed = true;
      window.clearTimeout(this.armedTimer);
      this.armedTimer = window.setTimeout(() => {
        this.hangUpArmed = false;
      }, HANG_UP_TWICE);
      return;
    }
    this.hangUpArmed = false;
    await this.order({ type: "hang_up", call: talk.call });
  }

  async toggleHold(): Promise<void> {
    const talk = this.desk.live.talk;
    if (talk === null) return;
    const held = talk.state === "talking";
    if (await this.order({ type: "hold", call: talk.call, held })) {
      const now = this.desk.live.talk;
      if (now?.call === talk.call)
        this.desk.live = { ...this.desk.live, talk: { ...now, state: held ? "hold" : "talking" } };
    }
  }

  async toggleMute(): Promise<void> {
    const talk = this.desk.live.talk;
    if (talk === null) return;
    this.muted = !this.muted;
    this.desk.phone.setMuted(this.muted);
    await this.order({ type: "mute", call: talk.call, muted: this.muted });
  }

  /** Sounds while a call rings that was not answered yet. */
  ring(): void {
    if (this.desk.live.ring !== null && this.accepting === null) this.desk.ringtone.start();
  }

  /** The server says whether this operator is muted. */
  setMuted(muted: boolean): void {
    this.muted = muted;
    this.desk.phone.setMuted(muted);
  }

  /** An order about the call; false, with a notice, when it was not done. */
  private async order(request: LiveRequest): Promise<boolean> {
    try {
      await this.desk.ask(request);
      return true;
    } catch (failure) {
      const lost = failure instanceof Failure && failure.status === 0;
      notices.say(lost ? sentence(t(), failure) : t().call.refusedByServer, "error");
      return false;
    }
  }
}
