import { describe, expect, it } from "vitest";
import { formatPhone, plausiblePhone } from "./number";

describe("formatPhone", () => {
  it.each([
    ["+81355550142", "03-5555-0142"],
    ["+81655550142", "06-5555-0142"],
    ["+819055550187", "090-5555-0187"],
    ["+815055550187", "050-5555-0187"],
    ["+81120555018", "0120-555-018"],
    ["+818005550187", "0800-555-0187"],
    ["+81455550111", "045-555-0111"],
    ["+81155501111", "0155-50-1111"],
    ["+14155550100", "+14155550100"],
    ["anonymous", "anonymous"],
    ["", ""],
  ])("%s is shown as %s", (number, text) => {
    expect(formatPhone(number)).toBe(text);
  });

  it("keeps every digit of any Japanese number", () => {
    for (let i = 0; i < 2_000; i++) {
      const national =
        String(1 + (i % 9)) + String(10_000_000 + i * 4_391).slice(0, 8) + (i % 2 === 0 ? "" : "7");
      expect(formatPhone(`+81${national}`).replaceAll("-", "")).toBe(`0${national}`);
    }
  });
});

describe("plausiblePhone", () => {
  it.each([
    ["", true],
    ["03-5555-0142", true],
    ["+81 3 5555 0142", true],
    ["０３（５５５５）０１４２", true],
    ["03-abc", false],
    ["-", false],
    ["12", false],
  ])("%s: %s", (text, plausible) => {
    expect(plausiblePhone(text)).toBe(plausible);
  });
});
