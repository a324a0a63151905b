use std::sync::atomic::AtomicUsize;

use super::super::assistance::FoundLogin;
use super::*;
use crate::credentials::Secret;
use crate::registry::RegistrySettings;

struct NoTokens;

impl FetchToken for NoTokens {
    fn fetch_token<'a>(
        &'a self,
        _: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<super::super::token::Granted, ContentError>> {
        Box::pin(async { Err(ContentError::new(Kind::Other, "no token server")) })
    }
}

fn password(text: &str) -> Credentials {
    Credentials::Basic {
        username: "AWS".to_owned(),
        password: Secret::new(text.to_owned()),
    }
}

/// An authenticator whose login is what `answer` says, given how often it was asked before and with what.
fn authenticator(
    answer: impl Fn(usize, bool) -> Result<FoundLogin, ContentError> + Send + Sync + 'static,
) -> (Authenticator, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let login: Login = Arc::new(move |again| {
        let answer = answer(count.fetch_add(1, Ordering::Relaxed), again);
        Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        })
    });
    let endpoint = Endpoint::of("a.b", &RegistrySettings::default()).expect("endpoint");
    (Authenticator::new("a.b", &endpoint, true, login, Cache::none()), asked)
}

fn until(credentials: &str, time: Duration) -> FoundLogin {
    FoundLogin {
        credentials: password(credentials),
        until: Some(Instant::now() + time),
    }
}

async fn pass(authenticator: &Authenticator) -> Pass {
    let pass = authenticator.pass(&Scope::pull("orders"), &NoTokens).await;
    pass.expect("pass")
}

fn header(password: &str) -> Option<HeaderValue> {
    basic("AWS", password).ok()
}

#[tokio::test]
async fn a_login_is_found_once_and_anew_before_it_expires() {
    let (authenticator, asked) = authenticator(|count, again| {
        assert!(!again);
        Ok(until(&format!("password {count}"), Duration::from_millis(200)))
    });
    let (one, two) = tokio::join!(pass(&authenticator), pass(&authenticator));
    assert_eq!(
        (&one.header, &two.header),
        (&header("password 0"), &header("password 0"))
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(pass(&authenticator).await.header, header("password 1"));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_login_that_has_run_out_on_arrival_is_used_all_the_same() {
    let (authenticator, asked) = authenticator(|_, _| Ok(until("late", Duration::ZERO)));
    for _ in 0..3 {
        assert_eq!(pass(&authenticator).await.header, header("late"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_old_login_is_used_on_where_no_new_one_is_found() {
    let (authenticator, asked) = authenticator(|count, _| match count {
        0 => Ok(until("old", Duration::from_millis(20))),
        _ => Err(ContentError::new(Kind::Temporary, "the service is down")),
    });
    pass(&authenticator).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    for _ in 0..3 {
        assert_eq!(pass(&authenticator).await.header, header("old"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn another_login_is_asked_for_once_and_kept_to() {
    let (authenticator, asked) = authenticator(|count, again| {
        assert_eq!(again, count > 0);
        Ok(match count {
            0 => password("stored").into(),
            1 => until("identity 1", Duration::from_millis(20)),
            _ => until("identity 2", Duration::from_secs(60)),
        })
    });
    let refused = pass(&authenticator).await;
    let (one, two) = tokio::join!(authenticator.renew(&refused), authenticator.renew(&refused));
    assert!(one.expect("renewed") && two.expect("renewed"));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    tokio::time::sleep(Duration::from_millis(40)).await;
    let second = pass(&authenticator).await;
    assert_eq!(second.header, header("identity 2"));
    assert!(!authenticator.renew(&second).await.expect("told"), "not a third time");
}

#[tokio::test]
async fn everybody_is_told_why_there_is_no_other_login() {
    let (authenticator, asked) = authenticator(|_, again| match again {
        false => Ok(password("stored").into()),
        true => Err(ContentError::new(Kind::Denied, "no AWS identity was found").hint("aws sso login")),
    });
    let refused = pass(&authenticator).await;
    for _ in 0..2 {
        let cause = authenticator.renew(&refused).await.expect_err("no other");
        assert_eq!(cause.to_string(), "no AWS identity was found");
        let error = authenticator
            .challenged("Basic realm=\"x\"", &refused, &Scope::pull("orders"))
            .await
            .expect_err("refused");
        assert_eq!(error.to_string(), "a.b refuses the login");
        assert_eq!(error.hints()[0], "aws sso login");
        assert!(error.hints()[1].contains("docker login a.b"), "{error:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
