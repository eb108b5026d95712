/** Area codes of two digits after the trunk 0 (3-3-4); one-digit ones are 3 and 6. */
const THREE = new Set(
  (
    "11 17 18 19 22 23 24 25 26 27 28 29 42 43 44 45 46 47 48 49 52 53 54 55 58 59 72 73 75 76 77 78 79 " +
    "82 83 84 86 87 88 89 92 93 95 96 97 98 99"
  ).split(" "),
);

/**
 * A Japanese number in E.164 as people write it; any other text as it is.
 * Four-digit area codes inside a three-digit one (0422, 0463 …) are split 3-3-4: the digits are right,
 * only the hyphen is not where the local directory has it.
 */
export function formatPhone(number: string): string {
  if (!/^\+81[1-9]\d{8,9}$/.test(number)) return number;
  const digits = `0${number.slice(3)}`;
  return groups(digits) ?? digits;
}

function groups(digits: string): string | null {
  const cut = (...lengths: number[]): string | null => {
    if (lengths.reduce((a, b) => a + b, 0) !== digits.length) return null;
    let at = 0;
    return lengths
      .map((length) => {
        const part = digits.slice(at, at + length);
        at += length;
        return part;
      })
      .join("-");
  };
  if (/^0[26-9]0/.test(digits) && digits.length === 11)
    return digits.startsWith("0800") ? cut(4, 3, 4) : cut(3, 4, 4);
  if (/^050/.test(digits)) return cut(3, 4, 4);
  if (/^(0120|0570|0990|0180)/.test(digits)) return cut(4, 3, 3);
  if (/^0[36]/.test(digits)) return cut(2, 4, 4);
  if (THREE.has(digits.slice(1, 3))) return cut(3, 3, 4);
  return cut(4, 2, 4);
}

/** Whether a typed phone number can be one: digits, hyphens, a leading plus. Empty is allowed. */
export function plausiblePhone(text: string): boolean {
  const plain = text.trim().normalize("NFKC");
  return plain === "" || (/^\+?[\d\- ()]+$/.test(plain) && /\d.*\d.*\d/.test(plain));
}
