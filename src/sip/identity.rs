//! Who calls: P-Asserted-Identity before From, nobody when withheld (RFC 3325, RFC 3323).

use super::message::tokens;
use super::uri;
use sipx_sip::headers::{Address, From as FromHeader, PAssertedIdentityList};
use sipx_sip::{HeaderName, Headers, Host, Scheme, Uri};

/// The caller's user part or number; `None` when withheld or not given.
///
/// Asserted identities are believed, because only trunks get this far.
pub(super) fn caller(headers: &Headers) -> Option<String> {
    // RFC 3323 §4.2: any of these asks that the identity not be shown. Values are separated by
    // semicolons there.
    let withheld = tokens(headers, &HeaderName::Privacy)
        .iter()
        .flat_map(|row| row.split(';'))
        .any(|value| matches!(value.trim(), "id" | "user" | "header"));
    if withheld {
        return None;
    }
    let asserted = PAssertedIdentityList::from_headers(headers).ok().flatten();
    let asserted = asserted.iter().flat_map(|list| list.values()).map(|identity| &identity.address().uri);
    // A number is worth more than a name.
    let asserted: Vec<&Uri> = asserted.collect();
    let tel = asserted.iter().find(|uri| matches!(uri.scheme(), Scheme::Tel));
    if let Some(found) = tel.or(asserted.first()) {
        return named(found);
    }
    let from: Address = headers.typed::<FromHeader>()?.ok()?.0;
    named(&from.uri)
}

fn named(uri: &Uri) -> Option<String> {
    // RFC 3323 §4.1.1.3: sip:anonymous@anonymous.invalid.
    let nowhere = matches!(uri.host(), Some(Host::Name(name)) if name.as_bytes().eq_ignore_ascii_case(b"anonymous.invalid"));
    let user = uri::user(uri);
    (!nowhere && !user.is_empty() && !user.eq_ignore_ascii_case("anonymous")).then_some(user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sipx_sip::Header;

    fn of(rows: &[(HeaderName, &str)]) -> Option<String> {
        let mut headers = Headers::new();
        for (name, value) in rows {
            headers.push(Header::build(name.clone(), (*value).to_owned()).unwrap());
        }
        caller(&headers)
    }

    #[test]
    fn the_caller_is_asserted_or_from_or_nobody() {
        use HeaderName::{From, PAssertedIdentity as Pai, Privacy};
        let from = (From, "\"Taro\" <sip:09012345678@carrier.example>;tag=1");
        assert_eq!(of(std::slice::from_ref(&from)).as_deref(), Some("09012345678"));
        let pai = (Pai, "<sip:0311112222@carrier.example>, <tel:+81311112222>");
        assert_eq!(of(&[from.clone(), pai.clone()]).as_deref(), Some("+81311112222"));
        assert_eq!(of(&[from.clone(), pai.clone(), (Privacy, "critical;id")]), None);
        assert_eq!(of(&[from.clone(), pai, (Privacy, "none")]).as_deref(), Some("+81311112222"));
        assert_eq!(of(&[(From, "<sip:anonymous@anonymous.invalid>;tag=1")]), None);
        assert_eq!(of(&[(From, "\"Anonymous\" <sip:Anonymous@carrier.example>;tag=1")]), None);
        assert_eq!(of(&[(From, "<sip:192.0.2.1>;tag=1")]), None);
        assert_eq!(of(&[from, (Pai, "broken <")]).as_deref(), Some("09012345678"));
    }
}
