//! The two kinds of answer: a text, and messages without end.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{Stream, unfold};
use http_body_util::Full;
use hyper::body::{Bytes, Frame, SizeHint};
use polyloop_bridge::channel::Receiver;

/// The body of an answer.
pub enum Body {
    /// All of it is there.
    Full(Full<Bytes>),
    /// It comes message by message. The stream stays on its loop.
    Messages(Pin<Box<dyn Stream<Item = Bytes>>>),
}

impl Body {
    /// A body that is all there.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        Self::Full(Full::new(bytes))
    }

    /// A body that ends when the messages do.
    #[must_use]
    pub fn stream(messages: Receiver<Bytes>) -> Self {
        Self::Messages(Box::pin(unfold(messages, |messages| async move {
            let message = messages.recv().await.ok()?;
            Some((message, messages))
        })))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Full(full) => Pin::new(full).poll_frame(cx),
            Self::Messages(messages) => messages
                .as_mut()
                .poll_next(cx)
                .map(|next| next.map(|m| Ok(Frame::data(m)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(full) if full.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(full) => full.size_hint(),
            Self::Messages(_) => SizeHint::default(),
        }
    }
}
