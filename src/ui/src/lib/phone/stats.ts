/** A compact reading of getStats, also offered to end-to-end tests. Counts since the connection began. */
export type AudioStats = {
  packetsSent: number;
  packetsReceived: number;
  packetsLost: number;
  bytesSent: number;
  bytesReceived: number;
  /** Seconds; null until measured. */
  currentRoundTripTime: number | null;
  stunResponses: number;
  connectionState: RTCPeerConnectionState | "none";
};

export const noStats: AudioStats = {
  packetsSent: 0,
  packetsReceived: 0,
  packetsLost: 0,
  bytesSent: 0,
  bytesReceived: 0,
  currentRoundTripTime: null,
  stunResponses: 0,
  connectionState: "none",
};

export async function audioStats(pc: RTCPeerConnection): Promise<AudioStats> {
  const stats: AudioStats = { ...noStats, connectionState: pc.connectionState };
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "outbound-rtp" && report.kind === "audio") {
      stats.packetsSent += report.packetsSent ?? 0;
      stats.bytesSent += report.bytesSent ?? 0;
    } else if (report.type === "inbound-rtp" && report.kind === "audio") {
      stats.packetsReceived += report.packetsReceived ?? 0;
      stats.packetsLost += report.packetsLost ?? 0;
      stats.bytesReceived += report.bytesReceived ?? 0;
    } else if (report.type === "candidate-pair") {
      stats.stunResponses += report.responsesReceived ?? 0;
      if (report.nominated && report.currentRoundTripTime !== undefined) {
        stats.currentRoundTripTime = report.currentRoundTripTime;
      }
    }
  }
  return stats;
}
