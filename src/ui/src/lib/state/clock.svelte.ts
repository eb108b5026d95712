/** The server's time, near enough for timers, ticking once a second. */
class ServerClock {
  private offset = 0;
  now = $state(Date.now());

  constructor() {
    window.setInterval(() => this.tick(), 1000);
  }

  /** The server stamped `at` on a frame that came just now. */
  heard(at: number): void {
    this.offset = at - Date.now();
    this.tick();
  }

  private tick(): void {
    this.now = Date.now() + this.offset;
  }
}

export const serverClock = new ServerClock();
