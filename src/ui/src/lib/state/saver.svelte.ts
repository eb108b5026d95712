import { Failure } from "../api/failure";
import { clean, type SaveInput, type SaveState, step, unsaved } from "./autosave";

/** Where a saver's values come from and go to. */
export type Saving = {
  /** Sends the present values. @throws Failure */
  send: () => Promise<void>;
  /** The server has a newer version. */
  conflicted: (current: unknown) => void;
  /** The server refused a field. */
  rejected: (failure: Failure) => void;
};

/** Drives the autosave machine with timers and requests. */
export class Saver {
  private machine = $state.raw<SaveState>(clean);
  readonly status = $derived(this.machine.status);
  /** The last failure, for 詳細. */
  failure = $state.raw<unknown>(null);
  private timer = 0;
  private running: Promise<void> | null = null;

  /** @param quiet whether a quiet time after the last keystroke saves by itself */
  constructor(
    private readonly saving: Saving,
    private readonly quiet = true,
  ) {}

  get unsaved(): boolean {
    return unsaved(this.machine);
  }

  edited(valid: boolean): void {
    this.put({ type: "edited", at: Date.now(), valid });
  }

  compositionBegan(): void {
    this.put({ type: "composition_began" });
  }

  compositionEnded(): void {
    this.put({ type: "composition_ended", at: Date.now() });
  }

  /** Sends what is unsaved without waiting for the quiet time. */
  now(): void {
    this.put({ type: "flushed" });
  }

  /** Saves everything; true when nothing is left unsaved. */
  async flush(): Promise<boolean> {
    for (let round = 0; round < 3 && this.unsaved; round++) {
      this.put({ type: "flushed" });
      if (this.running === null) break;
      await this.running;
    }
    return !this.unsaved;
  }

  keepMine(): void {
    this.put({ type: "kept_mine", at: Date.now() });
  }

  tookTheirs(): void {
    this.put({ type: "took_theirs" });
  }

  /** No more timers; a running request may still end. */
  stop(): void {
    window.clearTimeout(this.timer);
  }

  private put(input: SaveInput): void {
    const result = step(this.machine, input);
    this.machine = result.state;
    window.clearTimeout(this.timer);
    if (result.send) {
      this.running = this.send().finally(() => {
        this.running = null;
      });
    } else if (result.state.due !== null && (this.quiet || result.state.status === "failed")) {
      const wait = Math.max(0, result.state.due - Date.now());
      this.timer = window.setTimeout(() => this.put({ type: "looked", at: Date.now() }), wait);
    }
  }

  private async send(): Promise<void> {
    try {
      await this.saving.send();
      this.failure = null;
      this.put({ type: "saved", at: Date.now() });
    } catch (caught) {
      this.failure = caught;
      if (caught instanceof Failure && caught.status === 409) {
        this.saving.conflicted(caught.current);
        this.put({ type: "conflicted" });
      } else if (caught instanceof Failure && caught.status === 422) {
        this.saving.rejected(caught);
        this.put({ type: "rejected" });
      } else {
        this.put({ type: "failed", at: Date.now() });
      }
    }
  }
}
