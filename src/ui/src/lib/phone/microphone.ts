export type MicProblem = "denied" | "missing" | "busy";

export class MicRefused extends Error {
  constructor(readonly problem: MicProblem) {
    super(problem);
    this.name = "MicRefused";
  }
}

const PROCESSING_KEY = "bluebean.voice-processing";

/** Echo cancelling, noise suppression and gain control: on unless switched off in this browser. */
export function voiceProcessing(): boolean {
  return localStorage.getItem(PROCESSING_KEY) !== "off";
}

export function chooseVoiceProcessing(on: boolean): void {
  localStorage.setItem(PROCESSING_KEY, on ? "on" : "off");
}

/** Asks for the microphone. @throws MicRefused with what went wrong */
export async function openMicrophone(): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new MicRefused("missing");
  const on = voiceProcessing();
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: on, noiseSuppression: on, autoGainControl: on },
    });
  } catch (caught) {
    throw new MicRefused(problemOf(caught));
  }
}

function problemOf(caught: unknown): MicProblem {
  const name = caught instanceof DOMException ? caught.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  return "busy";
}

/** Whether the browser would open the microphone without asking. */
export async function microphoneGranted(): Promise<boolean> {
  try {
    const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
    return status.state === "granted";
  } catch {
    return false;
  }
}
