//! Users and groups by name, as an image's own lists tell them.

use super::error::Problem;

/// The file that lists users.
pub(super) const USERS: &str = "/etc/passwd";
/// The file that lists groups.
pub(super) const GROUPS: &str = "/etc/group";
/// Largest list that is read: thousands of users have some hundred kilobytes.
pub(super) const LIST_LIMIT: u64 = 4 * 1024 * 1024;

/// An owner as it is written: `user`, `user:group`, by name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    user: Id,
    group: Option<Id>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Id {
    Number(u64),
    Name(String),
}

impl Id {
    fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Name(text.to_owned()),
        }
    }
}

impl Owner {
    /// Reads an owner.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let wrong = || {
            Problem::syntax_with(
                format!("{text:?} is no owner"),
                "write a user, or user:group, by name or by number",
            )
        };
        if user.is_empty() || group.is_some_and(|group| group.is_empty() || group.contains(':')) {
            return Err(wrong());
        }
        let owner = Self {
            user: Id::parse(user),
            group: group.map(Id::parse),
        };
        let is_too_large = |id: &Id| matches!(id, Id::Number(number) if *number > u64::from(u32::MAX));
        if is_too_large(&owner.user) || owner.group.as_ref().is_some_and(is_too_large) {
            return Err(wrong());
        }
        Ok(owner)
    }

    /// Whether the list of users has to be read.
    pub(super) fn needs_users(&self) -> bool {
        matches!(self.user, Id::Name(_))
    }

    /// Whether the list of groups has to be read.
    pub(super) fn needs_groups(&self) -> bool {
        matches!(self.group, Some(Id::Name(_)))
    }

    /// The numbers. A user by number alone has a group of the same number; one by name the group its line names.
    pub(super) fn numbers(&self, users: &str, groups: &str) -> Result<(u64, u64), Problem> {
        let (uid, own_group) = match &self.user {
            Id::Number(number) => (*number, *number),
            Id::Name(name) => {
                let line = find(users, name).ok_or_else(|| missing("user", name, USERS))?;
                let number = |index: usize| line.get(index).and_then(|field| field.parse().ok());
                match (number(2), number(3)) {
                    (Some(uid), Some(gid)) => (uid, gid),
                    _ => return Err(missing("user", name, USERS)),
                }
            }
        };
        let gid = match &self.group {
            None => own_group,
            Some(Id::Number(number)) => *number,
            Some(Id::Name(name)) => find(groups, name)
                .and_then(|line| line.get(2)?.parse().ok())
                .ok_or_else(|| missing("group", name, GROUPS))?,
        };
        Ok((uid, gid))
    }
}

fn find<'a>(list: &'a str, name: &str) -> Option<Vec<&'a str>> {
    list.lines()
        .map(|line| line.trim().split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
}

fn missing(what: &str, name: &str, list: &str) -> Problem {
    Problem::syntax_with(
        format!("there is no {what} {name} in the image"),
        format!("{list} of the image lists them; a number needs no list"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "root:x:0:0:root:/root:/bin/sh\nflyway:x:101:102::/flyway:/bin/sh\nbroken:x:a:b\n";
    const GROUP_LIST: &str = "root:x:0:\nmigrations:x:500:flyway\n";

    fn numbers(text: &str) -> Result<(u64, u64), Problem> {
        Owner::parse(text)?.numbers(LIST, GROUP_LIST)
    }

    #[test]
    fn names_and_numbers_become_numbers() {
        for (text, expected) in [
            ("0", (0, 0)),
            ("55", (55, 55)),
            ("55:7", (55, 7)),
            ("flyway", (101, 102)),
            ("flyway:0", (101, 0)),
            ("flyway:migrations", (101, 500)),
            ("5:migrations", (5, 500)),
        ] {
            assert_eq!(numbers(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn who_is_not_there_is_an_error() {
        for text in [
            "nobody",
            "flyway:nobody",
            "broken",
            "",
            ":0",
            "0:",
            "a:b:c",
            "4294967296",
        ] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }
}
