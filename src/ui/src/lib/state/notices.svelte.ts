export type Notice = { id: number; tone: "info" | "error"; text: string };

const MOST = 3;
const STAY = 8_000;

/** Short messages, bottom right. At most three. */
class Notices {
  list = $state<Notice[]>([]);
  private next = 1;

  say(text: string, tone: Notice["tone"] = "info"): void {
    if (this.list.some((notice) => notice.text === text)) return;
    const id = this.next++;
    this.list = [...this.list, { id, tone, text }].slice(-MOST);
    window.setTimeout(() => this.dismiss(id), STAY);
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  clear(): void {
    this.list = [];
  }
}

export const notices = new Notices();
