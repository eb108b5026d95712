/** Japanese ringing tone: 400 Hz beaten at 16 Hz, one second on, two off. Made here: nothing is fetched. */
export class Ringtone {
  private context: AudioContext | null = null;
  private gain: GainNode | null = null;
  private timer = 0;
  private oscillators: OscillatorNode[] = [];

  /** Browsers let sound start only after a gesture: call from one. */
  unlock(): void {
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") void this.context.resume();
  }

  start(): void {
    if (this.oscillators.length > 0) return;
    this.unlock();
    const context = this.context;
    if (context === null) return;
    const gain = context.createGain();
    gain.gain.value = 0;
    gain.connect(context.destination);
    for (const hertz of [384, 416]) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = hertz;
      oscillator.connect(gain);
      oscillator.start();
      this.oscillators.push(oscillator);
    }
    this.gain = gain;
    this.burst();
    this.timer = window.setInterval(() => this.burst(), 3000);
  }

  stop(): void {
    window.clearInterval(this.timer);
    for (const oscillator of this.oscillators) oscillator.stop();
    this.oscillators = [];
    this.gain?.disconnect();
    this.gain = null;
  }

  private burst(): void {
    if (this.context === null || this.gain === null) return;
    const now = this.context.currentTime;
    const level = this.gain.gain;
    level.cancelScheduledValues(now);
    level.setValueAtTime(0, now);
    level.linearRampToValueAtTime(0.12, now + 0.02);
    level.setValueAtTime(0.12, now + 0.98);
    level.linearRampToValueAtTime(0, now + 1);
  }
}
