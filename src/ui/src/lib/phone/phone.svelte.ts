import { type MicProblem, MicRefused, openMicrophone } from "./microphone";
import { type AudioStats, audioStats, noStats } from "./stats";
import { type Watch, watch, watchFrom } from "./watchdog";

/** `off`: no connection wanted. `ready`: audio can flow at once. `lost`: being mended. */
export type PhoneState = "off" | "connecting" | "ready" | "lost";
export type PhoneProblem = MicProblem | "failed";

const GATHER_WITHIN = 1_000;
const CONNECT_WITHIN = 8_000;
const LOOK_EVERY = 1_000;
const MEND_EVERY = 2_000;
const MENDS = 3;

/** One WebRTC connection for the whole shift; between calls it sends nothing. */
export class Phone {
  state = $state<PhoneState>("off");
  problem = $state<PhoneProblem | null>(null);
  /** No packet arrives although a call is on. */
  stalled = $state(false);
  private pc: RTCPeerConnection | null = null;
  private stream: MediaStream | null = null;
  private active = false;
  private muted = false;
  private starting: Promise<boolean> | null = null;
  /** False once stopped: whatever still runs then ends in silence. */
  private wanted = false;
  private mending = false;
  private lastMend = 0;
  private mends = 0;
  private watch: Watch | null = null;
  private timer = 0;

  /**
   * @param exchange sends an offer over the live connection, gives the answer. Throws when it can't.
   * @param play the element remote audio comes out of
   */
  constructor(
    private readonly exchange: (sdp: string) => Promise<string>,
    private readonly play: (stream: MediaStream | null) => void,
  ) {}

  /** Asks for the microphone if need be and connects. False when it failed; `problem` says why. */
  start(): Promise<boolean> {
    if (this.state === "ready") return Promise.resolve(true);
    this.wanted = true;
    this.starting ??= this.connect().finally(() => {
      this.starting = null;
    });
    return this.starting;
  }

  /** Lets go of connection and microphone. */
  stop(): void {
    this.wanted = false;
    this.hangUpConnection();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.state = "off";
    this.problem = null;
  }

  /** A new server process knows nothing of the old connection. */
  async rebuild(): Promise<boolean> {
    if (this.pc === null) return false;
    this.hangUpConnection();
    this.state = "connecting";
    return this.start();
  }

  /** Sends the microphone, or nothing at all. */
  async setActive(active: boolean): Promise<void> {
    this.active = active;
    if (!active) {
      this.watch = null;
      this.stalled = false;
    }
    const sender = this.pc?.getSenders()[0];
    if (sender === undefined) return;
    const parameters = sender.getParameters();
    const encoding = parameters.encodings[0];
    if (encoding === undefined || encoding.active === active) return;
    encoding.active = active;
    await sender.setParameters(parameters).catch(() => {});
  }

  /** Silence at once, whatever the server does. */
  setMuted(muted: boolean): void {
    this.muted = muted;
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  async stats(): Promise<AudioStats> {
    return this.pc === null ? noStats : audioStats(this.pc);
  }

  private async connect(): Promise<boolean> {
    this.problem = null;
    if (this.state !== "lost") this.state = "connecting";
    try {
      if (this.stream === null || this.stream.getAudioTracks()[0]?.readyState !== "live") {
        this.stream = await openMicrophone();
        this.setMuted(this.muted);
        this.stream.getAudioTracks()[0]?.addEventListener("ended", () => void this.reopenMicrophone());
      }
      const pc = await this.build(this.stream);
      await connected(pc);
      if (this.pc !== pc) throw new Error("replaced");
      await this.setActive(this.active);
      this.state = "ready";
      window.clearInterval(this.timer);
      this.timer = window.setInterval(() => void this.look(), LOOK_EVERY);
      return true;
    } catch (caught) {
      if (!this.wanted) return false;
      this.hangUpConnection();
      this.problem = caught instanceof MicRefused ? caught.problem : "failed";
      this.state = "off";
      return false;
    }
  }

  private async build(stream: MediaStream): Promise<RTCPeerConnection> {
    const track = stream.getAudioTracks()[0];
    if (track === undefined) throw new MicRefused("missing");
    const pc = new RTCPeerConnection({
      iceServers: [],
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
    });
    this.pc = pc;
    pc.ontrack = (event) => this.play(event.streams[0] ?? new MediaStream([event.track]));
    pc.onconnectionstatechange = () => this.changed(pc);
    pc.addTransceiver(track, { direction: "sendrecv", streams: [stream] });
    await this.negotiate(pc);
    return pc;
  }

  private async negotiate(pc: RTCPeerConnection): Promise<void> {
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    const answer = await this.exchange(pc.localDescription?.sdp ?? "");
    if (this.pc !== pc) throw new Error("replaced");
    await pc.setRemoteDescription({ type: "answer", sdp: answer });
  }

  private changed(pc: RTCPeerConnection): void {
    if (pc !== this.pc) return;
    if (pc.connectionState === "connected") {
      this.state = "ready";
      this.mends = 0;
    } else if (pc.connectionState === "disconnected" || pc.connectionState === "failed") {
      this.state = "lost";
      void this.mend();
    }
  }

  private async look(): Promise<void> {
    const pc = this.pc;
    if (pc === null) return;
    if (this.state === "lost") return this.mend();
    if (!this.active) return;
    const stats = await audioStats(pc);
    const reading = {
      at: performance.now(),
      packetsReceived: stats.packetsReceived,
      stunResponses: stats.stunResponses,
    };
    if (this.watch === null) {
      this.watch = watchFrom(reading);
      return;
    }
    const seen = watch(this.watch, reading);
    this.watch = seen.watch;
    this.stalled = seen.stalled;
    if (seen.restart) await this.mend();
  }

  /** Restarts ICE on the same connection; if the server no longer knows it, builds a new one. */
  private async mend(): Promise<void> {
    const pc = this.pc;
    if (pc === null || this.mending || performance.now() - this.lastMend < MEND_EVERY) return;
    this.mending = true;
    this.lastMend = performance.now();
    try {
      if (pc.signalingState !== "stable") await pc.setLocalDescription({ type: "rollback" });
      // A server that began anew can't be reached by the old connection's encryption.
      if (++this.mends > MENDS) throw new Error("restarting ICE does not help");
      pc.restartIce();
      await this.negotiate(pc);
    } catch (caught) {
      const offline = caught instanceof Error && "code" in caught && caught.code === "network";
      if (!offline && this.pc === pc) {
        this.mends = 0;
        await this.rebuild();
      }
    } finally {
      this.mending = false;
    }
  }

  /** A headset was unplugged, or a setting changed: take what is there now, keep the connection. */
  async reopenMicrophone(): Promise<void> {
    const sender = this.pc?.getSenders()[0];
    if (sender === undefined) return;
    try {
      const before = this.stream;
      this.stream = await openMicrophone();
      for (const old of before?.getTracks() ?? []) old.stop();
      this.setMuted(this.muted);
      const track = this.stream.getAudioTracks()[0];
      if (track === undefined) throw new MicRefused("missing");
      track.addEventListener("ended", () => void this.reopenMicrophone());
      await sender.replaceTrack(track);
      this.problem = null;
    } catch (caught) {
      this.problem = caught instanceof MicRefused ? caught.problem : "failed";
    }
  }

  private hangUpConnection(): void {
    window.clearInterval(this.timer);
    this.watch = null;
    this.stalled = false;
    const pc = this.pc;
    this.pc = null;
    pc?.close();
    this.play(null);
  }
}

function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, GATHER_WITHIN);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      window.clearTimeout(timer);
      resolve();
    });
  });
}

/** Waits until audio could flow. @throws when it can't within the time */
function connected(pc: RTCPeerConnection): Promise<void> {
  if (pc.connectionState === "connected") return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(() => reject(new Error("no connection in time")), CONNECT_WITHIN);
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "connected") resolve();
      else if (pc.connectionState === "failed" || pc.connectionState === "closed")
        reject(new Error("no connection"));
      else return;
      window.clearTimeout(timer);
    });
  });
}
