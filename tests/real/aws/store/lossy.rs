//! Answers that get lost: the call was carried out, and is made once more.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use hyper::StatusCode;
use serde_json::json;
use shipway::execute::store::{Lock, Store};

use super::runs::{begun, ended};
use super::table::{claim, each_place};
use crate::aws::server::{Server, client, json_answer};

/// The table answers in the end, whatever got lost.
const ANSWERS: &str = "a call is made again until it is answered";

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn what_was_done_although_no_answer_came_counts_as_ours() {
    each_place(|place, runtime| {
        let lossy = lossy(place.address.clone());
        let store = place.store_at(&format!("http://{}", lossy.address));
        runtime.block_on(all_is_ours(&store));
    });
}

async fn all_is_ours(store: &Store) {
    let (ours, theirs) = (claim("ours", 1), claim("theirs", 1));
    assert_eq!(store.lock(&ours).await.expect(ANSWERS), Lock::Taken);
    let seen = store.holder("flyway", "migrations").await.expect(ANSWERS);
    let seen = seen.expect("it is held");
    assert_eq!(store.take_over(&seen, &theirs).await.expect(ANSWERS), Lock::Taken);

    let begun = begun("ours", 1);
    store.begin(&begun).await.expect(ANSWERS);
    let ended = ended(&begun, 7);
    assert!(store.finish(&ended).await.expect(ANSWERS));
    assert!(!store.finish(&ended).await.expect(ANSWERS));
    assert!(store.announce(&ended, "first").await.expect(ANSWERS));
    assert!(!store.announce(&ended, "second").await.expect(ANSWERS));
    assert!(
        store.announce(&ended, "first").await.expect(ANSWERS),
        "who is asked once more may have failed to tell"
    );
    assert_eq!(store.history("flyway", "migrations", 10).await.expect(ANSWERS), [ended]);
}

/// A server before the table that keeps each answer for itself the first time a request is made, and says that something went wrong.
fn lossy(address: String) -> Server {
    let seen: Arc<Mutex<HashSet<Vec<u8>>>> = Arc::default();
    let client = client();
    Server::start(move |request| {
        let (seen, client, address) = (Arc::clone(&seen), client.clone(), address.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .expect("a client sends what it promised")
                .to_bytes();
            let mut identity = head.headers["x-amz-target"].as_bytes().to_vec();
            identity.extend_from_slice(&body);
            let is_new = seen.lock().expect("nobody panics with the lock").insert(identity);
            let answer = client
                .post(&address)
                .headers(head.headers)
                .body(body)
                .send()
                .await
                .expect("the emulator answers");
            let status = answer.status();
            let told = answer.bytes().await.expect("the emulator answers to the end");
            let told = serde_json::from_slice(&told).expect("the emulator answers JSON");
            match is_new {
                true => json_answer(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    &json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"}),
                ),
                false => json_answer(status, &told),
            }
        }
    })
}
