//! Strangers: scanners, broken clients, and whoever tries what no route has.

use reqwest::{Client, Method};

/// One request with a path, a method and a host that nobody has used before. Any answer below 500 is what it deserves.
pub(crate) async fn send(client: &Client, url: &str, number: u64) -> anyhow::Result<bool> {
    // Far apart from each other, and the same ones in every run.
    let noise = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let method = match number % 3 {
        0 => Method::GET,
        1 => Method::POST,
        _ => Method::from_bytes(format!("M{noise:X}").as_bytes())?,
    };
    let path = match number % 4 {
        // As a route has it, with names that are nobody's.
        0 => format!("w{noise:x}/r{noise:x}/info/refs?service=git-upload-pack&q={noise:x}"),
        1 => format!("{noise:x}/{noise:x}/{noise:x}"),
        2 => format!(".env.{noise:x}"),
        _ => format!("wp-admin/{noise:x}.php?id={noise:x}"),
    };
    let answer = client.request(method, format!("{url}/{path}")).header("host", format!("{noise:x}.example")).send();
    Ok(!answer.await?.status().is_server_error())
}
