import type { AudioStats } from "./phone/stats";

declare global {
  interface Window {
    /** For end-to-end tests and support: read-only. */
    __bluebean?: { stats: () => Promise<AudioStats> } | undefined;
  }
}
