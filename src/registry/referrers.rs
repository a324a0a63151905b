//! What speaks of a manifest: finding it, and putting it so that others find it (OCI distribution specification 1.1,
//! "Listing Referrers" and "Pushing Manifests with Subject").

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use reqwest::{Method, Url};

use super::RepositorySource;
use super::error::Failure;
use super::target::RepositoryTarget;
use crate::content::{ContentError, Kind, MANIFEST_LIMIT, Result, Selector, Source, Target};
use crate::oci::{Body, Descriptor, Digest, Index, Manifest, Tag, media_type};

/// The answer's header that says that the registry took note of the subject.
pub(super) const SUBJECT_HEADER: &str = "oci-subject";

/// Most pages of one list. Registries put fifty to a thousand entries on a page.
const PAGES_LIMIT: usize = 100;
/// How often an entry is put into a list that others change at the same time.
const MERGES_LIMIT: usize = 5;

impl RepositorySource {
    /// Lists what speaks of `subject`: what the registry lists itself, else what the tag lists that stands for it.
    pub(super) async fn list_referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let within = || format!("cannot list the referrers of {subject} in {}", self.place());
        let listed = self.listed(subject).await;
        if let Some(entries) = listed.map_err(|failure| failure.error.within(within()))? {
            return Ok(entries);
        }
        let list = self.fallback(subject).await.map_err(|error| error.within(within()))?;
        Ok(list.map(|list| list.manifests).unwrap_or_default())
    }

    /// What the registry lists; `None` when it keeps no such lists.
    async fn listed(&self, subject: &Digest) -> std::result::Result<Option<Vec<Descriptor>>, Failure> {
        let mut request = self.request(Method::GET, &format!("referrers/{subject}"));
        request
            .headers
            .push((ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX)));
        let mut entries = Vec::new();
        for number in 0..PAGES_LIMIT {
            // Who answered once keeps lists: a later page that fails is missing, and so is what stands on it.
            let accepts: fn(u16) -> bool = if number == 0 { keeps_no_lists } else { |_| false };
            let (status, headers, bytes) = self.read(&request, MANIFEST_LIMIT, accepts).await?;
            if accepts(status) {
                return Ok(None);
            }
            let page = match page(&headers, &bytes)? {
                Some(page) => page,
                None if number == 0 => return Ok(None),
                None => {
                    return Err(Failure::lasting(
                        ContentError::new(Kind::Invalid, "the list is not valid")
                            .because(format!("its page {} is no list", number + 1)),
                    ));
                }
            };
            entries.extend(page.manifests);
            match next_page(&headers, &request.url) {
                Some(url) => request.url = url,
                None => return Ok(Some(entries)),
            }
        }
        Err(Failure::lasting(
            ContentError::new(Kind::Invalid, "the list does not end")
                .because(format!("it has more than {PAGES_LIMIT} pages")),
        ))
    }

    /// The list under the tag that stands for the referrers of `subject`.
    async fn fallback(&self, subject: &Digest) -> Result<Option<Index>> {
        Ok(match self.under_fallback(subject).await? {
            Some(Manifest {
                body: Body::Index(list),
                ..
            }) => Some(list),
            // Somebody's image that happens to have this name.
            Some(_) | None => None,
        })
    }

    /// What is under the tag that stands for the referrers of `subject`.
    async fn under_fallback(&self, subject: &Digest) -> Result<Option<Manifest>> {
        match self.resolve(&Selector::Tag(Tag::of_referrers(subject))).await {
            Ok(manifest) => Ok(Some(manifest)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl RepositoryTarget {
    /// Puts a manifest that speaks of `subject`. Where the registry takes no note of that, it is added to the list under
    /// the tag that stands for it.
    pub(super) async fn attach(&self, manifest: &Manifest, subject: &Digest) -> Result<()> {
        self.put_manifest(manifest, None).await?;
        if self.took_note_of(&manifest.digest()) {
            return Ok(());
        }
        self.list(manifest, subject).await.map_err(|error| {
            error.within(format!(
                "cannot list {} as a referrer of {subject} in {}",
                manifest.digest(),
                self.repository
            ))
        })
    }

    /// Adds a manifest to the list under the tag that stands for the referrers of `subject`. Two runs that do so at once
    /// take each other's entries away; so the list is read again, until the entry is there.
    async fn list(&self, manifest: &Manifest, subject: &Digest) -> Result<()> {
        let tag = Tag::of_referrers(subject);
        for _ in 0..MERGES_LIMIT {
            let list = match self.source().under_fallback(subject).await? {
                Some(list) => match &list.body {
                    Body::Index(index) if index.manifests.iter().any(|entry| entry.digest == manifest.digest()) => {
                        return Ok(());
                    }
                    Body::Index(_) => list.with_entry(&manifest.as_referrer()),
                    Body::Image(_) => {
                        let what = format!("the tag {tag} names an image there, which stays, and no list");
                        return Err(ContentError::new(Kind::Refused, what));
                    }
                },
                None => Manifest::index(Index {
                    schema_version: 2,
                    media_type: media_type::OCI_INDEX.to_owned(),
                    manifests: vec![manifest.as_referrer()],
                    annotations: serde_json::Map::new(),
                })
                .map_err(Into::into),
            };
            let list = list.map_err(|error| {
                ContentError::new(Kind::Invalid, format!("cannot extend the list under {tag}")).because(error)
            })?;
            self.put_manifest(&list, Some(&tag)).await?;
        }
        Err(
            ContentError::new(Kind::Temporary, format!("the list under {tag} does not keep the entry"))
                .because("other runs change it at the same time")
                .hint("run the same command again"),
        )
    }

    /// What is listed here as speaking of `subject`.
    pub(super) async fn attached(&self, subject: &Digest) -> Result<Vec<Digest>> {
        let listed = self.source().list_referrers(subject).await?;
        Ok(listed.iter().map(|entry| entry.digest).collect())
    }

    /// The same repository to read from.
    pub(super) fn source(&self) -> RepositorySource {
        RepositorySource::new(Arc::clone(&self.registry), self.repository.clone())
    }
}

/// Whether a status means that the registry knows nothing of lists of referrers. 404 is what the specification says;
/// others are the answers of registries that take the path for something else.
fn keeps_no_lists(status: u16) -> bool {
    matches!(status, 400 | 404 | 405 | 501)
}

/// Reads a page of a list. What is no list, such as the page of a web interface, is none.
fn page(headers: &HeaderMap, bytes: &Bytes) -> std::result::Result<Option<Index>, Failure> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match serde_json::from_slice::<Index>(bytes) {
        Ok(index) => Ok(Some(index)),
        Err(error) if media_type.unwrap_or_default().starts_with(media_type::OCI_INDEX) => Err(Failure::lasting(
            ContentError::new(Kind::Invalid, "the list is not valid").because(error),
        )),
        Err(_) => Ok(None),
    }
}

/// The address of the next page (RFC 8288). Whatever host it names, it is asked for at the same one: the login is for no
/// other, and a registry behind another address does not know that it is.
fn next_page(headers: &HeaderMap, current: &Url) -> Option<Url> {
    let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|text| text.split(',')).find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim();
            parameter == "rel=next" || parameter == "rel=\"next\""
        });
        is_next.then_some(address)
    })?;
    let next = current.join(next).ok()?;
    let mut url = current.clone();
    url.set_path(next.path());
    url.set_query(next.query());
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_at_the_same_host() {
        let current: Url = "https://a.b/v2/c/referrers/x?n=1".parse().expect("url");
        let next = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, text.parse().expect("value"));
            next_page(&headers, &current).map(String::from)
        };
        let expected = Some("https://a.b/v2/c/referrers/x?last=y".to_owned());
        assert_eq!(next("</v2/c/referrers/x?last=y>; rel=\"next\""), expected);
        assert_eq!(next("<?last=y>;title=a;rel=next"), expected);
        assert_eq!(
            next("<https://evil.example/v2/c/referrers/x?last=y>; rel=\"next\""),
            expected
        );
        assert_eq!(next("</v2/>; rel=\"prev\""), None);
    }
}
