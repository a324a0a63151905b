//! One at a time.

use shipway::content::Kind;
use shipway::execute::store::{CLAIM_SECONDS, Claim, Holder, Lock};

use super::table::{NOW, Place, at_each, claim};

const TASK: &str = "arn:aws:ecs:eu-west-3:1:task/migrations/0a";

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn one_of_many_gets_the_lock() {
    at_each(async |place| {
        let store = place.store();
        let claims: Vec<Claim> = (0..12).map(|number| claim(&format!("run-{number}"), 1)).collect();
        let locks = place.race(claims.iter().map(|claim| store.lock(claim))).await;
        let winners: Vec<usize> = (0..12).filter(|number| locks[*number] == Lock::Taken).collect();
        let [winner] = winners[..] else {
            panic!("{} of them have the lock", winners.len())
        };
        let holder = Holder {
            run_id: claims[winner].run_id.clone(),
            attempt: 1,
            task_arn: None,
            cluster: None,
            taken_at: NOW,
            claimed_until: NOW + CLAIM_SECONDS,
            requested_by: claims[winner].requested_by.clone(),
        };
        let others = locks.iter().filter(|lock| **lock == Lock::Held(holder.clone()));
        assert_eq!(others.count(), 11, "{locks:#?}");
        assert_eq!(holder_of(&place).await, Some(holder));
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn the_same_attempt_gets_it_again_and_keeps_its_task() {
    at_each(async |place| {
        let store = place.store();
        let ours = claim("ours", 1);
        assert_eq!(store.lock(&ours).await.unwrap(), Lock::Taken);
        store.hold(&ours, "migrations", TASK).await.unwrap();
        let later = Claim {
            now_seconds: NOW + 60,
            ..ours.clone()
        };
        assert_eq!(store.lock(&later).await.unwrap(), Lock::Taken);
        let holder = holder_of(&place).await.expect("it is held");
        assert_eq!((holder.taken_at, holder.task_arn.as_deref()), (NOW, Some(TASK)));
        // Another attempt is another holder: the first one's task may run.
        assert_eq!(store.lock(&claim("ours", 2)).await.unwrap(), Lock::Held(holder));
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn another_family_or_cluster_has_a_lock_of_its_own() {
    at_each(async |place| {
        let store = place.store();
        for (family, environment) in [
            ("flyway", "migrations"),
            ("liquibase", "migrations"),
            ("flyway", "staging"),
        ] {
            let claim = Claim {
                family: family.to_owned(),
                environment: environment.to_owned(),
                ..claim(family, 1)
            };
            assert_eq!(store.lock(&claim).await.unwrap(), Lock::Taken);
        }
        assert_eq!(place.items().await, 3);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn it_is_let_go_by_its_owner_only() {
    at_each(async |place| {
        let store = place.store();
        let ours = claim("ours", 2);
        let unlock = |run: &'static str, attempt| {
            let store = &store;
            let run_id = claim(run, attempt).run_id;
            async move { store.unlock("flyway", "migrations", &run_id, attempt).await.unwrap() }
        };
        assert!(!unlock("ours", 2).await, "nobody has it");
        store.lock(&ours).await.unwrap();
        store.hold(&ours, "migrations", TASK).await.unwrap();
        assert!(!unlock("theirs", 2).await);
        assert!(!unlock("ours", 1).await);
        assert!(holder_of(&place).await.is_some());
        assert!(unlock("ours", 2).await);
        assert!(!unlock("ours", 2).await);
        assert_eq!(holder_of(&place).await, None);
        assert_eq!(place.items().await, 0);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn one_of_many_takes_it_over() {
    at_each(async |place| {
        let store = place.store();
        let gone = claim("gone", 1);
        store.lock(&gone).await.unwrap();
        store.hold(&gone, "migrations", TASK).await.unwrap();
        let seen = holder_of(&place).await.expect("it is held");
        let claims: Vec<Claim> = (0..12).map(|number| claim(&format!("run-{number}"), 1)).collect();
        let locks = place
            .race(claims.iter().map(|claim| store.take_over(&seen, claim)))
            .await;
        let taken = locks.iter().filter(|lock| **lock == Lock::Taken);
        assert_eq!(taken.count(), 1, "{locks:#?}");
        let holder = holder_of(&place).await.expect("it is held");
        assert_eq!(holder.task_arn, None, "the task is the old holder's");
        let others = locks.iter().filter(|lock| **lock == Lock::Held(holder.clone()));
        assert_eq!(others.count(), 11, "{locks:#?}");
        // Who was taken for gone has lost it.
        assert!(!store.unlock("flyway", "migrations", &gone.run_id, 1).await.unwrap());
        let error = store.hold(&gone, "migrations", TASK).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
    });
}

/// Each sign of life between the look and the taking over saves the lock.
#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn a_holder_that_shows_life_is_not_taken_over() {
    at_each(async |place| {
        let store = place.store();
        let (alive, other) = (claim("alive", 1), claim("other", 1));
        store.lock(&alive).await.unwrap();
        let first = holder_of(&place).await.expect("it is held");
        let later = Claim {
            now_seconds: NOW + 100,
            ..alive.clone()
        };
        assert_eq!(store.keep(&later).await.unwrap(), Lock::Taken);
        let kept = holder_of(&place).await.expect("it is held");
        assert_eq!(kept.claimed_until, NOW + 100 + CLAIM_SECONDS);
        // How old it is tells how long ECS may have forgotten its task.
        assert_eq!(kept.taken_at, NOW + 100);
        assert_eq!(store.take_over(&first, &other).await.unwrap(), Lock::Held(kept.clone()));
        store.hold(&alive, "migrations", TASK).await.unwrap();
        let held = holder_of(&place).await.expect("it is held");
        assert_eq!(held.cluster.as_deref(), Some("migrations"));
        assert_eq!(store.take_over(&kept, &other).await.unwrap(), Lock::Held(held.clone()));
        assert_eq!(store.take_over(&held, &other).await.unwrap(), Lock::Taken);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn what_was_let_go_meanwhile_is_simply_taken() {
    at_each(async |place| {
        let store = place.store();
        let (gone, other) = (claim("gone", 1), claim("other", 1));
        store.lock(&gone).await.unwrap();
        let seen = holder_of(&place).await.expect("it is held");
        assert!(store.unlock("flyway", "migrations", &gone.run_id, 1).await.unwrap());
        assert_eq!(store.take_over(&seen, &other).await.unwrap(), Lock::Taken);
        assert_eq!(holder_of(&place).await.expect("it is held").run_id, other.run_id);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn who_lost_it_is_told_to_whom() {
    at_each(async |place| {
        let store = place.store();
        let error = store.hold(&claim("ours", 1), "migrations", TASK).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(cause(&error), "nobody holds it any more");
        store.lock(&claim("theirs", 3)).await.unwrap();
        let theirs = holder_of(&place).await.expect("it is held");
        assert_eq!(store.keep(&claim("ours", 1)).await.unwrap(), Lock::Held(theirs));
        let error = store.hold(&claim("ours", 1), "migrations", TASK).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot name the task in the lock of flyway in migrations"
        );
        assert_eq!(cause(&error), "run theirs has it now (attempt 3)");
        // Neither left anything behind.
        assert_eq!(holder_of(&place).await.expect("it is held").task_arn, None);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn who_shows_life_after_all_others_are_gone_has_it_again() {
    at_each(async |place| {
        let store = place.store();
        assert_eq!(store.keep(&claim("ours", 1)).await.unwrap(), Lock::Taken);
        assert_eq!(
            holder_of(&place).await.expect("it is held").run_id,
            claim("ours", 1).run_id
        );
    });
}

async fn holder_of(place: &Place) -> Option<Holder> {
    let holder = place.store().holder("flyway", "migrations").await;
    holder.expect("the table can be read")
}

fn cause(error: &dyn std::error::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
