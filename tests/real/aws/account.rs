//! The three accounts, their registries, and `shipway` with an identity.

use std::process::Command;

use serde_json::Value;

use crate::parts::{output, setting};
use crate::project::Project;

/// The region of everything.
pub(crate) const REGION: &str = "eu-west-3";

/// An account with a registry: moto gives the password, Debian's registry asks for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    /// Twelve digits.
    pub(crate) id: &'static str,
    /// The variable that tells where its registry is.
    variable: &'static str,
}

/// The account moto takes every key for that it did not make itself.
pub(crate) const DEVELOPMENT: Account = Account {
    id: "123456789012",
    variable: "SHIPWAY_TEST_ECR_DEVELOPMENT",
};
/// An account one gets into by a role.
pub(crate) const STAGING: Account = Account {
    id: "222222222222",
    variable: "SHIPWAY_TEST_ECR_STAGING",
};
/// Another one.
pub(crate) const PRODUCTION: Account = Account {
    id: "333333333333",
    variable: "SHIPWAY_TEST_ECR_PRODUCTION",
};

impl Account {
    /// The host in the names of its images.
    pub(crate) fn host(self) -> String {
        self.host_in(REGION)
    }

    /// The host of another region.
    pub(crate) fn host_in(self, region: &str) -> String {
        format!("{}.dkr.ecr.{region}.amazonaws.com", self.id)
    }

    /// The name of an image.
    pub(crate) fn image(self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// Where its registry really listens.
    pub(crate) fn address(self) -> String {
        setting(self.variable)
    }

    /// What `--registry-endpoint` says of it.
    pub(crate) fn endpoint(self) -> String {
        format!("{}=http://{}", self.host(), self.address())
    }

    /// A role in it. moto knows every role there could be.
    pub(crate) fn role(self) -> String {
        format!("arn:aws:iam::{}:role/deploy", self.id)
    }

    /// The digest that skopeo finds under a name, with the password of this account.
    pub(crate) fn digest_of(self, name: &str) -> String {
        let mut skopeo = Command::new("skopeo");
        skopeo
            .args(["inspect", "--tls-verify=false", "--creds"])
            .arg(format!("AWS:{}-auth-token", self.id));
        let found = output(skopeo.arg(format!("docker://{}/{name}", self.address())));
        let found: Value = serde_json::from_str(&found).expect("skopeo inspect prints JSON");
        found["Digest"].as_str().expect("an image has a digest").to_owned()
    }

    /// Copies an image out of its registry with skopeo.
    pub(crate) fn copy_out(self, name: &str, to: &str) {
        let mut skopeo = Command::new("skopeo");
        skopeo
            .args([
                "--insecure-policy",
                "copy",
                "--quiet",
                "--all",
                "--src-tls-verify=false",
                "--src-creds",
            ])
            .arg(format!("AWS:{}-auth-token", self.id));
        output(skopeo.arg(format!("docker://{}/{name}", self.address())).arg(to));
    }
}

/// Where moto answers.
pub(crate) fn moto() -> String {
    setting("SHIPWAY_TEST_MOTO")
}

/// Where ministack answers.
pub(crate) fn ministack() -> String {
    setting("SHIPWAY_TEST_MINISTACK")
}

/// Points a command at an emulator, and keeps it from looking for the machine's own identity.
pub(crate) fn with_aws<'a>(command: &'a mut Command, endpoint: &str) -> &'a mut Command {
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

/// As [`with_aws`], with keys in the environment.
pub(crate) fn with_keys<'a>(command: &'a mut Command, endpoint: &str) -> &'a mut Command {
    with_aws(command, endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
}

/// The secret of every key; it must not be printed.
pub(crate) const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYcanary";

/// Runs `shipway` to an end that must be this one; returns what it printed and said.
pub(crate) fn ends_with(status: i32, command: &mut Command) -> (String, String) {
    let done = command.output().expect("shipway starts");
    let printed = String::from_utf8(done.stdout).expect("shipway prints UTF-8");
    let said = String::from_utf8(done.stderr).expect("shipway says UTF-8");
    assert_eq!(done.status.code(), Some(status), "{command:?}\n{printed}{said}");
    for secret in [SECRET, "-auth-token"] {
        assert!(
            !format!("{printed}{said}").contains(secret),
            "{secret} is in the log:\n{said}"
        );
    }
    (printed.trim_end().to_owned(), said)
}

/// The digest in `repository@digest`.
pub(crate) fn digest_in(printed: &str) -> &str {
    printed.rsplit('@').next().expect("a name ends somewhere")
}

impl Project {
    /// `shipway build --push` of an image to an account's registry.
    pub(crate) fn push_to(&self, account: Account, name: &str) -> Command {
        let mut build = self.build(&crate::parts::Registry::plain().base());
        build
            .args(["--push", "-t", &account.image(name)])
            .args(["--registry-endpoint", &account.endpoint()]);
        build
    }
}
