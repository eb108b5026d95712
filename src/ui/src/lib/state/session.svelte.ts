import { api } from "../api/client";
import { Failure } from "../api/failure";
import type { Me } from "../api/types";

export type Stage = "starting" | "unreachable" | "out" | "in";

/** Who is logged in at this browser, if anybody. */
class Session {
  stage = $state<Stage>("starting");
  me = $state.raw<Me | null>(null);
  /** True when the session ended without the person asking. */
  ended = $state(false);

  async begin(): Promise<void> {
    this.stage = "starting";
    try {
      this.enter(await api.me());
    } catch (failure) {
      this.stage = failure instanceof Failure && failure.status === 401 ? "out" : "unreachable";
    }
  }

  /** @throws Failure when refused. */
  async logIn(tenant: string, login: string, password: string): Promise<void> {
    this.enter(await api.logIn(tenant, login, password));
  }

  /** The server or the person ended it. */
  leave(unasked: boolean): void {
    this.me = null;
    this.ended = unasked;
    this.stage = "out";
  }

  private enter(me: Me): void {
    this.me = me;
    this.ended = false;
    this.stage = "in";
  }
}

export const session = new Session();
