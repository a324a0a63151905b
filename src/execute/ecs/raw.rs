//! Bodies as they are on the wire.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use serde_json::Value;

use crate::content::{ContentError, Kind, Result};

/// Puts a body into the request of one call, and keeps the body of its last answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    request: Option<Bytes>,
    answer: Arc<Mutex<Option<Bytes>>>,
}

impl Raw {
    /// Sends this in the place of what the SDK would send.
    pub(super) fn sending(body: &Value) -> Self {
        Self {
            request: Some(Bytes::from(body.to_string())),
            answer: Arc::default(),
        }
    }

    /// What was answered.
    pub(super) fn answer(&self) -> Result<Value> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let answer = answer.ok_or_else(|| ContentError::new(Kind::Invalid, "ECS answered without a body"))?;
        serde_json::from_slice(&answer).map_err(|error| {
            ContentError::new(Kind::Invalid, "ECS answered with something that is not JSON").because(error)
        })
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Raw {
    fn name(&self) -> &'static str {
        "Raw"
    }

    // Before the loop of tries, so that each of them sends and signs the same.
    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        if let Some(body) = &self.request {
            let request = context.request_mut();
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body.clone());
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let body = context.response().body().bytes().map(Bytes::copy_from_slice);
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = body;
        Ok(())
    }
}
