/** The API's types, named as the page speaks of them. All come from the server's OpenAPI document. */
import type { components } from "../../../generated/schema";

type Schemas = components["schemas"];

export type Presence = Schemas["Presence"];
/** The states an operator may ask for. */
export type ChosenPresence = Extract<Presence, "available" | "away" | "wrap_up" | "offline">;
export type Me = Schemas["Me"];
/** `extra`: (column, value) pairs of the import. openapi-fetch's types do not keep tuples. */
export type Customer = Omit<Schemas["Customer"], "extra"> & { extra: string[][] };
export type CustomerChange = Schemas["CustomerChange"];
export type CustomerField = Exclude<keyof CustomerChange, "version">;
export type NextAction = Schemas["NextAction"];
export type ContactRecord = Schemas["ContactRecord"];
export type ContactDraft = Schemas["ContactDraft"];
export type HistoryRow = Schemas["HistoryRow"];
export type Recording = Schemas["Recording"];
export type OperatorPresence = Schemas["OperatorPresence"];
export type QueueName = Schemas["LiveQueueName"];
export type QueueLine = Schemas["LiveQueueLine"];
/** A call ringing at this operator. `history` is that of the first customer. */
export type Offered = Schemas["LiveOffered"];
/** The call this operator is in. */
export type Current = Schemas["LiveCurrent"];
export type LiveEvent = Schemas["LiveNumbered"];
export type OfferOutcome = Schemas["LiveOfferOutcome"];
export type LiveAnswer = Schemas["LiveAnswer"];

type Each<T> = T extends { id: number } ? Omit<T, "id"> : never;
/** A request without its number, which the socket gives. */
export type LiveRequest = Each<Schemas["LiveRequest"]>;
