// Sound for the demo, without any audio tool: tones for SIPp, a prompt, and the measuring of a recording.
//   node audio.mjs tone HZ FILE.ulaw      one second of µ-law at 8 kHz, as SIPp's rtp_stream wants it
//   node audio.mjs prompt FILE.wav        a short welcome chime, 16-bit PCM at 16 kHz
//   node audio.mjs measure FILE.wav       prints: SECONDS LEFT_HZ RIGHT_HZ
import { readFileSync, writeFileSync } from 'node:fs';

function muLaw(sample) {
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}

function fromMuLaw(byte) {
  const b = ~byte & 0xff;
  const magnitude = (((b & 0x0f) << 3) + 132) << ((b >> 4) & 7);
  return b & 0x80 ? 132 - magnitude : magnitude - 132;
}

function tone(hz, file) {
  const bytes = Buffer.alloc(8000);
  for (let n = 0; n < bytes.length; n++) bytes[n] = muLaw(Math.round(10000 * Math.sin((2 * Math.PI * hz * n) / 8000)));
  writeFileSync(file, bytes);
}

function prompt(file) {
  const rate = 16000;
  const notes = [523.25, 659.25, 783.99, 1046.5];
  const length = 0.28;
  const samples = new Int16Array(Math.round(rate * (notes.length * length + 0.5)));
  notes.forEach((hz, i) => {
    const from = Math.round(i * length * rate);
    for (let n = 0; n + from < samples.length; n++) {
      const t = n / rate;
      samples[from + n] += Math.round(6000 * Math.exp(-5 * t) * Math.sin(2 * Math.PI * hz * t));
    }
  });
  const head = Buffer.from('RIFF....WAVEfmt ....................data....', 'latin1');
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.writeUInt32LE(samples.byteLength, 40);
  writeFileSync(file, Buffer.concat([head, Buffer.from(samples.buffer)]));
}

// The strongest frequency from 100 to 3,000 Hz, in steps of 1 Hz, of the second in the middle.
function strongest(samples) {
  const middle = samples.slice(Math.max(0, samples.length / 2 - 4000), samples.length / 2 + 4000);
  let best = 0;
  let bestPower = 1e9; // below this it is silence
  for (let hz = 100; hz <= 3000; hz++) {
    const c = 2 * Math.cos((2 * Math.PI * hz) / 8000);
    let s1 = 0;
    let s2 = 0;
    for (const sample of middle) [s2, s1] = [s1, sample + c * s1 - s2];
    const power = s1 * s1 + s2 * s2 - c * s1 * s2;
    if (power > bestPower) [best, bestPower] = [hz, power];
  }
  return best;
}

function measure(file) {
  const wav = readFileSync(file);
  if (wav.toString('latin1', 0, 4) !== 'RIFF') throw new Error(`${file} is no WAV file`);
  let at = 12;
  while (wav.toString('latin1', at, at + 4) !== 'data') at += 8 + wav.readUInt32LE(at + 4);
  const data = wav.subarray(at + 8, at + 8 + wav.readUInt32LE(at + 4));
  const channel = (first) => Array.from({ length: data.length >> 1 }, (_, n) => fromMuLaw(data[2 * n + first]));
  console.log((data.length / 16000).toFixed(1), strongest(channel(0)), strongest(channel(1)));
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'tone') tone(Number(rest[0]), rest[1]);
else if (what === 'prompt') prompt(rest[0]);
else if (what === 'measure') measure(rest[0]);
else throw new Error('usage: audio.mjs tone HZ FILE | prompt FILE | measure FILE');
