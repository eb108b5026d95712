import { describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { ja } from "../i18n/ja";
import { Failure, sentence } from "./failure";

describe("Failure", () => {
  it("reads code, field and the other version", () => {
    const failure = Failure.from(409, { error: { code: "conflict", message: "m" }, current: { version: 2 } });
    expect(failure).toMatchObject({ status: 409, code: "conflict", current: { version: 2 } });
    expect(Failure.from(422, { error: { code: "field", message: "m", field: "phone" } }).field).toBe("phone");
  });

  it("makes do with any body", () => {
    for (const body of [undefined, null, "", 7, [], { error: null }, { error: { code: 7 } }]) {
      expect(Failure.from(401, body).code).toBe("no_session");
    }
    expect(Failure.from(502, "<html>").code).toBe("unknown");
  });

  it("has a sentence for every code in both languages", () => {
    expect(Object.keys(ja.errors)).toEqual(Object.keys(en.errors));
    expect(sentence(ja, Failure.from(401, { error: { code: "denied", message: "" } }))).toContain("違います");
    expect(sentence(en, new Error("x"))).toBe(en.errors.unknown);
    expect(sentence(en, Failure.from(400, { error: { code: "toString", message: "" } }))).toBe(
      en.errors.unknown,
    );
  });
});
