//! The `http` action: one GET on the loop, its answer bounded.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use polyloop::compat::hyper::HyperIo;
use polyloop::net::TcpStream;

use super::Probe;
use super::output::Output;
use crate::jobs::model::{Outcome, Status};

/// Fetches what `probe` names; `own` is where the service itself listens.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub async fn run(probe: &Probe, own: SocketAddr) -> Outcome {
    let mut output = Output::default();
    match fetch(probe, own, &mut output).await {
        Ok(response) => {
            let good = response.is_success();
            Outcome {
                status: if good { Status::Ok } else { Status::Failed },
                code: Some(i64::from(response.as_u16())),
                output: output.into_text(),
            }
        }
        Err(why) => {
            output.line(&why.to_string());
            Outcome::new(Status::Failed, output.into_text())
        }
    }
}

async fn fetch(
    probe: &Probe,
    own: SocketAddr,
    output: &mut Output,
) -> Result<hyper::StatusCode, Box<dyn std::error::Error>> {
    let (stream, host, path) = match probe {
        Probe::Own { path } => (TcpStream::connect(own).await?, own.to_string(), path),
        Probe::Elsewhere {
            authority,
            host,
            port,
            path,
        } => (
            TcpStream::connect((host.as_str(), *port)).await?,
            authority.clone(),
            path,
        ),
    };
    let (mut sender, connection) = http1::handshake(HyperIo::new(stream)).await?;
    let connection = polyloop::create_task(connection).abort_on_drop();
    let request = Request::get(path)
        .header(HOST, HeaderValue::from_str(&host)?)
        .header(USER_AGENT, "polyloop-jobs")
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    output.line(&format!("{:?} {status}", response.version()));
    let read = read(response, output).await;
    drop(connection);
    read?;
    Ok(status)
}

async fn read(response: Response<Incoming>, output: &mut Output) -> hyper::Result<()> {
    let mut body = response.into_body();
    let mut taken = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        output.push(&data);
        taken += data.len();
        if taken > MAX_BODY {
            output.line(&format!("\n… not read further than {MAX_BODY} bytes …"));
            break;
        }
    }
    Ok(())
}

/// Of a body, no more is read.
const MAX_BODY: usize = 1024 * 1024;
