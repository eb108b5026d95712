//! What each RFC 4475 message may be answered with, over UDP and over TCP: the MANIFEST's
//! expectation and what it tolerates, for an endpoint that is no registrar.
//!
//! Shared by the test of the SIP core (`src/sip/torture_tests.rs`) and the one of the daemon.

/// One message.
pub struct Case {
    /// File under `tests/fixtures/rfc4475`.
    pub file: &'static str,
    /// Statuses allowed as first reply over UDP; 0 is silence.
    pub udp: &'static [u16],
    /// Statuses allowed as first reply over TCP; 0 is silence.
    pub tcp: &'static [u16],
    /// Whether the TCP connection must be closed, at once or when the peer's patience is over.
    pub closes: bool,
}

const fn same(file: &'static str, statuses: &'static [u16]) -> Case {
    Case { file, udp: statuses, tcp: statuses, closes: false }
}

/// An INVITE that is to be processed: taken (100 …), or refused for what a daemon knows of it.
const CALL: &[u16] = &[100, 180, 183, 200, 404, 480, 484, 486, 488];
const CALL_OR_400: &[u16] = &[400, 100, 180, 183, 200, 404, 480, 484, 486, 488];
/// Nobody registers here (yet).
const REGISTER: &[u16] = &[405, 200, 401];
const REGISTER_OR_400: &[u16] = &[400, 405, 200, 401];
const SILENCE: &[u16] = &[0];

/// Every message of the MANIFEST, in its order.
pub const CASES: &[Case] = &[
    // Its To has a tag of no dialog: 481 is what an endpoint says (RFC 3261 §12.2.2).
    same("wsinv.dat", &[100, 180, 183, 200, 404, 480, 481, 486]),
    same("intmeth.dat", &[501, 405]),
    same("esc01.dat", CALL),
    same("escnull.dat", REGISTER),
    same("esc02.dat", &[501]),
    same("lwsdisp.dat", &[200]),
    same("longreq.dat", CALL),
    // Over TCP the trailing octets are a second message, one that never ends.
    Case { file: "dblreq.dat", udp: REGISTER, tcp: REGISTER, closes: true },
    same("semiuri.dat", &[200]),
    same("transports.dat", &[200]),
    same("mpart01.dat", &[405]),
    same("unreason.dat", SILENCE),
    same("noreason.dat", SILENCE),
    same("badinv01.dat", &[400]),
    Case { file: "clerr.dat", udp: &[400], tcp: &[0, 400], closes: true },
    Case { file: "ncl.dat", udp: &[400], tcp: &[400], closes: true },
    same("scalar02.dat", &[400]),
    same("scalarlg.dat", SILENCE),
    same("quotbal.dat", CALL_OR_400),
    same("ltgtruri.dat", CALL_OR_400),
    same("lwsruri.dat", CALL_OR_400),
    same("lwsstart.dat", CALL_OR_400),
    same("trws.dat", &[400, 200]),
    same("escruri.dat", CALL_OR_400),
    same("baddate.dat", CALL_OR_400),
    same("regbadct.dat", REGISTER_OR_400),
    same("badaspec.dat", &[400, 200]),
    // The archive's file has no empty line: over TCP it is a message that never ends.
    Case { file: "baddn.dat", udp: &[400, 200], tcp: &[0, 400], closes: true },
    same("badvers.dat", &[505]),
    same("mismatch01.dat", &[400]),
    same("mismatch02.dat", &[501, 400]),
    same("bigcode.dat", SILENCE),
    same("badbranch.dat", &[400, 200]),
    same("insuf.dat", &[400, 0]),
    same("unkscm.dat", &[416]),
    same("novelsc.dat", &[416, 404]),
    same("unksm2.dat", &[400]),
    same("bext01.dat", &[420]),
    same("invut.dat", &[415]),
    same("regaut01.dat", REGISTER),
    same("multi01.dat", &[400]),
    Case { file: "mcl01.dat", udp: &[400], tcp: &[400, 0], closes: true },
    same("bcast.dat", SILENCE),
    same("zeromf.dat", &[200]),
    same("cparam01.dat", REGISTER),
    same("cparam02.dat", REGISTER),
    same("regescrt.dat", REGISTER),
    same("sdp01.dat", &[406, 400]),
    // Without Content-Length a stream has no end of message.
    Case { file: "inv2543.dat", udp: CALL_OR_400, tcp: &[400], closes: true },
    same("test.dat", &[0, 100, 180, 200, 400, 404, 405, 415, 416, 480, 481, 486, 488, 501]),
];
