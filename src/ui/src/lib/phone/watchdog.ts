/** One reading of the connection. */
export type Reading = { at: number; packetsReceived: number; stunResponses: number };

export type Watch = {
  packets: number;
  packetsAt: number;
  stun: number;
  stunAt: number;
  restarts: number;
  notBefore: number;
};

/** No packet for this long while talking counts as stalled. */
export const STALLED = 2_500;
/** Consent checks come about every 2.5 s; two missed ones mean the path is gone. */
const PATH_GONE = 6_000;

export function watchFrom(reading: Reading): Watch {
  return {
    packets: reading.packetsReceived,
    packetsAt: reading.at,
    stun: reading.stunResponses,
    stunAt: reading.at,
    restarts: 0,
    notBefore: 0,
  };
}

/**
 * Decides whether ICE must be restarted. Stalled packets alone earn one try (the far end may simply be
 * silent), then a doubling pause; a path without STUN answers earns a try every 5 s.
 */
export function watch(before: Watch, reading: Reading): { watch: Watch; stalled: boolean; restart: boolean } {
  const next = { ...before };
  if (reading.packetsReceived !== before.packets) {
    next.packets = reading.packetsReceived;
    next.packetsAt = reading.at;
    next.restarts = 0;
    next.notBefore = 0;
  }
  if (reading.stunResponses !== before.stun) {
    next.stun = reading.stunResponses;
    next.stunAt = reading.at;
  }
  const stalled = reading.at - next.packetsAt >= STALLED;
  if (!stalled || reading.at < next.notBefore) return { watch: next, stalled, restart: false };
  const gone = reading.at - next.stunAt >= PATH_GONE;
  next.notBefore = reading.at + (gone ? 5_000 : Math.min(60_000, 10_000 * 2 ** next.restarts));
  next.restarts += 1;
  return { watch: next, stalled, restart: true };
}
