//! The pages about Amazon: every command in them is run, and does what is shown.
//!
//! A page is one story in one project. Files it shows (`toml`, `ini`, `json` and `sh` blocks that begin with `# NAME`, or follow a line
//! that ends with `NAME`:) are written as they come. Commands in `console` blocks, and lines of `sh` blocks, are run with keys in the
//! environment, those in `console job` in a job of GitLab and in `console runner` in a container; lines of a pipeline (`yaml`) in a job.

use crate::page::{Block, Page};
use crate::shape;
use crate::transcript::{AT_EMULATORS, Shown, read};

use super::story::{Story, Who};

/// Commands that are not run, and why.
const ELSEWHERE: [(&str, &str); 2] = [
    (
        "aws sso login",
        "opens a browser; the story goes on as if somebody had logged in",
    ),
    ("aws ecr put-account-setting", "moto has no settings of accounts"),
];

#[test]
#[ignore = "needs moto, awscli, docker-registry and skopeo: ci/test.sh"]
fn every_command_of_the_pages_does_what_is_shown() {
    let pages: Vec<Page> = AT_EMULATORS.iter().map(|name| Page::named(name)).collect();
    for page in &pages {
        let count = tell(page);
        assert!(count > 5, "{}: only {count} commands were found", page.path.display());
    }
    for (command, _) in ELSEWHERE {
        assert!(
            pages.iter().any(|page| page.text.contains(command)),
            "{command} is not shown any more"
        );
    }
}

/// Runs all that a page shows; returns how many commands that were.
fn tell(page: &Page) -> usize {
    let mut story = Story::of(page);
    let mut count = 0;
    let blocks = page.blocks();
    for (index, block) in blocks.iter().enumerate() {
        match block.language.split_whitespace().next().unwrap_or_default() {
            "console" => {
                let mut last = None;
                for shown in read(block) {
                    let who = Who::of(&block.language);
                    if let Some(printed) = run(page, block, &story, who, &shown) {
                        last = Some(printed);
                        count += 1;
                    }
                }
                let json = blocks.get(index + 1).filter(|next| next.language == "json");
                if let (Some(json), Some(printed)) = (json.filter(|json| file_name(page, json).is_none()), last) {
                    shape::assert_same(&page.place(json.line), &json.text, &printed);
                }
            }
            language @ ("sh" | "yaml") => {
                let who = if language == "yaml" { Who::Job } else { Who::Anybody };
                if who == Who::Job {
                    story.set_variables(&block.text);
                }
                for line in block.text.lines() {
                    let line = line
                        .trim_start()
                        .trim_start_matches("- ")
                        .trim_start_matches("script: ");
                    let line = line.replace("./shipway", "shipway");
                    if line.starts_with("shipway ") || line.starts_with("aws ") {
                        count += usize::from(run(page, block, &story, who, &Shown::command(line)).is_some());
                    }
                }
            }
            _ => {
                if let Some(name) = file_name(page, block) {
                    story.write(&name, &block.text);
                }
            }
        }
    }
    count
}

/// Runs a command, unless it is one of those that are not; returns what it printed.
fn run(page: &Page, block: &Block, story: &Story, who: Who, shown: &Shown) -> Option<Vec<u8>> {
    if let Some((command, _)) = ELSEWHERE.iter().find(|(start, _)| shown.command.starts_with(start)) {
        if *command == "aws sso login" {
            story.log_in_by_sso();
        }
        return None;
    }
    let output = story.run(who, &shown.command);
    shown.assert_is(&page.place(block.line), &output);
    Some(output.stdout)
}

/// The name of the file that a block shows.
fn file_name(page: &Page, block: &Block) -> Option<String> {
    let is_name = |name: &&str| name.contains('.') && !name.contains(' ');
    let within = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
    let above = || {
        let before: Vec<&str> = page.text.lines().take(block.line - 1).collect();
        let line = before.iter().rev().find(|line| !line.is_empty())?;
        line.strip_suffix("`:")?.rsplit('`').next()
    };
    within.filter(is_name).or_else(above).map(str::to_owned)
}

/// What the reader of pages promises, told as a page. It has regions of its own: a story begins by emptying those it names.
const STORY: &str = r#"
# A page

```ini
# ~/.aws/config
[profile orders]
sso_session = company
sso_account_id = 222222222222
sso_role_name = Developer
region = eu-north-1

[profile production]
role_arn = arn:aws:iam::333333333333:role/deploy
source_profile = orders
region = eu-south-1

[sso-session company]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
```

```console
$ aws sso login --profile orders
$ aws sts get-caller-identity --profile orders --query Arn --output text
arn:aws:sts::222222222222:assumed-role/Developer/ada
$ aws ecr create-repository --profile orders --repository-name orders-migrations \
    --query repository.repositoryUri --output text
222222222222.dkr.ecr.eu-north-1.amazonaws.com/orders-migrations
$ shipway build --push -t 222222222222.dkr.ecr.eu-north-1.amazonaws.com/orders-migrations:1.0 --aws-profile orders
222222222222.dkr.ecr.eu-north-1.amazonaws.com/orders-migrations@sha256:…
$ shipway build --push -t 222222222222.dkr.ecr.eu-north-1.amazonaws.com/orders-migrations:1.0
error: …
$ echo $?
1
```

```toml
# shipway.toml
[migrations]
scripts = "db-migrations/scripts"

[runner]
base = "flyway/flyway:13.12.0"

[image]
repository = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/orders-migrations"
tags = ["current"]
```

```console runner
$ shipway build --push --create-repository
123456789012.dkr.ecr.eu-north-1.amazonaws.com/orders-migrations@sha256:…
```

```yaml
release:
  id_tokens:
    SHIPWAY_ID_TOKEN:
      aud: https://gitlab.example.com
  variables:
    AWS_ROLE_ARN: arn:aws:iam::333333333333:role/gitlab
  script:
    - shipway build --push --create-repository -t 333333333333.dkr.ecr.eu-south-1.amazonaws.com/orders-migrations:$CI_COMMIT_TAG
```

```console
$ aws ecr list-images --profile production --repository-name orders-migrations --query 'imageIds[].imageTag' --output text
v1.4.0
```
"#;

#[test]
#[ignore = "needs moto, awscli, docker-registry and skopeo: ci/test.sh"]
fn a_page_is_run_as_it_reads() {
    let page = Page {
        path: "a page".into(),
        text: STORY.to_owned(),
    };
    assert_eq!(tell(&page), 7);
}
