//! What a request to a registry's API is to Amazon ECR: the right it needs, and how often it may be made.

use super::host::EcrHost;

/// Manifests that may be put in a second.
///
/// Service quota "Rate of PutImage requests", as reported in containerd/containerd#10447 and measured by clowdhaus/ocync.
const PUT_IMAGE: u32 = 10;
/// Uploads that may be begun in a second (same sources, "Rate of InitiateLayerUpload requests").
const INITIATE_LAYER_UPLOAD: u32 = 100;
/// Uploads that may be finished in a second (same sources, "Rate of CompleteLayerUpload requests").
const COMPLETE_LAYER_UPLOAD: u32 = 100;
/// Parts of layers that may arrive in a second (same sources, "Rate of UploadLayerPart requests").
const UPLOAD_LAYER_PART: u32 = 500;

/// A request of the distribution API, as Amazon ECR understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A manifest is read, or looked for.
    ReadManifest,
    /// A blob is looked for.
    FindBlob,
    /// A blob is read.
    ReadBlob,
    /// The upload of a blob is begun.
    BeginUpload,
    /// A blob is to be taken over from another repository, or else its upload begun.
    Mount,
    /// The bytes of a blob are sent, and its upload finished.
    FinishUpload,
    /// A manifest is put.
    PutManifest,
    /// The manifests that refer to another are listed.
    ListReferrers,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ReadManifest,
        Self::FindBlob,
        Self::ReadBlob,
        Self::BeginUpload,
        Self::Mount,
        Self::FinishUpload,
        Self::PutManifest,
        Self::ListReferrers,
    ];

    /// The rights it needs on the repository, without the service before them (Amazon ECR user guide, "Required IAM
    /// permissions for pushing an image", and clowdhaus/ocync for what is read).
    #[must_use]
    pub fn rights(self) -> &'static [&'static str] {
        match self {
            Self::ReadManifest | Self::ListReferrers => &["BatchGetImage"],
            Self::FindBlob => &["BatchCheckLayerAvailability"],
            Self::ReadBlob => &["GetDownloadUrlForLayer"],
            Self::BeginUpload | Self::Mount => &["InitiateLayerUpload"],
            Self::FinishUpload => &["UploadLayerPart", "CompleteLayerUpload"],
            Self::PutManifest => &["PutImage"],
        }
    }

    /// The rights it needs in the public gallery. Its service has rights for writing only: anybody may read (Service
    /// Authorization Reference, "Actions defined by Amazon Elastic Container Registry Public").
    #[must_use]
    pub fn public_rights(self) -> &'static [&'static str] {
        match self {
            Self::ReadManifest | Self::ReadBlob | Self::ListReferrers => &[],
            _ => self.rights(),
        }
    }

    /// The rights it needs on the repository a blob is taken over from (clowdhaus/ocync).
    #[must_use]
    pub fn rights_on_source(self) -> &'static [&'static str] {
        match self {
            Self::Mount => &["GetDownloadUrlForLayer"],
            _ => &[],
        }
    }

    /// How often it may be made in a second; `None` where no limit is known. An upload in one request is one part at
    /// least.
    #[must_use]
    pub fn per_second(self) -> Option<u32> {
        match self {
            Self::PutManifest => Some(PUT_IMAGE),
            Self::BeginUpload | Self::Mount => Some(INITIATE_LAYER_UPLOAD),
            Self::FinishUpload => Some(COMPLETE_LAYER_UPLOAD.min(UPLOAD_LAYER_PART)),
            Self::ReadManifest | Self::FindBlob | Self::ReadBlob | Self::ListReferrers => None,
        }
    }
}

/// One request: what it is, and to which repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What it is.
    pub operation: Operation,
    /// The path of the repository.
    pub repository: String,
    /// The path of the repository a blob is to be taken over from.
    pub source: Option<String>,
}

impl Access {
    /// Reads a request's method and its path from `/v2/` on; `from` is what its query names as the source of a mount.
    /// `None` for what is no request to a repository.
    #[must_use]
    pub fn of(method: &str, path: &str, from: Option<&str>) -> Option<Self> {
        let rest = path.strip_prefix("/v2/")?;
        let is_read = matches!(method, "GET" | "HEAD");
        let (repository, operation) = if let Some((repository, session)) = rest.rsplit_once("/blobs/uploads/") {
            let operation = match (method, session, from) {
                ("POST", "", Some(_)) => Operation::Mount,
                ("POST", "", None) => Operation::BeginUpload,
                ("PUT" | "PATCH", _, _) => Operation::FinishUpload,
                _ => return None,
            };
            (repository, operation)
        } else if let Some((repository, _)) = rest.rsplit_once("/blobs/") {
            let operation = match method {
                "HEAD" => Operation::FindBlob,
                "GET" => Operation::ReadBlob,
                _ => return None,
            };
            (repository, operation)
        } else if let Some((repository, _)) = rest.rsplit_once("/manifests/") {
            let operation = match method {
                "PUT" => Operation::PutManifest,
                _ if is_read => Operation::ReadManifest,
                _ => return None,
            };
            (repository, operation)
        } else {
            let (repository, _) = rest.rsplit_once("/referrers/").filter(|_| is_read)?;
            (repository, Operation::ListReferrers)
        };
        Some(Self {
            operation,
            repository: repository.to_owned(),
            source: from.filter(|_| operation == Operation::Mount).map(str::to_owned),
        })
    }

    /// What to allow so that `host` takes the request, such as `ecr:PutImage on arn:aws:ecr:…`; nothing where anybody
    /// may make it.
    #[must_use]
    pub fn rights(&self, host: &EcrHost) -> Vec<String> {
        let phrase = |service: &str, rights: &[&str], resource: String| {
            let rights: Vec<String> = rights.iter().map(|right| format!("{service}:{right}")).collect();
            (!rights.is_empty()).then(|| format!("{} on {resource}", rights.join(" and ")))
        };
        match host {
            EcrHost::Private(private) => {
                let own = phrase("ecr", self.operation.rights(), private.repository_arn(&self.repository));
                let source = self
                    .source
                    .as_ref()
                    .and_then(|path| phrase("ecr", self.operation.rights_on_source(), private.repository_arn(path)));
                own.into_iter().chain(source).collect()
            }
            EcrHost::Public => {
                // The host does not tell whose gallery it is.
                let resource = format!("the repository {}", self.repository);
                phrase("ecr-public", self.operation.public_rights(), resource)
                    .into_iter()
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(method: &str, path: &str) -> Option<(Operation, String)> {
        let access = Access::of(method, path, None)?;
        Some((access.operation, access.repository))
    }

    #[test]
    fn every_request_has_its_rights() {
        for (method, path, right) in [
            ("HEAD", "manifests/v1", "BatchGetImage"),
            ("GET", "manifests/v1", "BatchGetImage"),
            ("HEAD", "blobs/sha256:00", "BatchCheckLayerAvailability"),
            ("GET", "blobs/sha256:00", "GetDownloadUrlForLayer"),
            ("POST", "blobs/uploads/", "InitiateLayerUpload"),
            ("PUT", "blobs/uploads/123", "UploadLayerPart, CompleteLayerUpload"),
            ("PUT", "manifests/v1", "PutImage"),
            ("GET", "referrers/sha256:00", "BatchGetImage"),
        ] {
            let (operation, repository) = access(method, &format!("/v2/team/orders/{path}")).expect(path);
            assert_eq!(operation.rights().join(", "), right, "{method} {path}");
            assert_eq!(repository, "team/orders");
        }
        let mount = Access::of("POST", "/v2/orders/blobs/uploads/", Some("team/runner")).expect("mount");
        assert_eq!(mount.operation, Operation::Mount);
        assert_eq!(mount.source.as_deref(), Some("team/runner"));
    }

    #[test]
    fn names_like_parts_of_the_api_are_names() {
        let known = access("GET", "/v2/blobs/manifests/v2/manifests/v1").expect("manifest");
        assert_eq!(known, (Operation::ReadManifest, "blobs/manifests/v2".to_owned()));
        for (method, path) in [
            ("GET", "/v2/"),
            ("GET", "/token"),
            ("DELETE", "/v2/a/manifests/b"),
            ("DELETE", "/v2/a/blobs/uploads/x"),
            ("GET", "/v2/manifests/x"),
            ("PUT", "/v2/a/referrers/x"),
        ] {
            assert_eq!(access(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn rights_name_both_repositories_of_a_mount() {
        let host = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").expect("host");
        let mount = Access::of("POST", "/v2/orders/blobs/uploads/", Some("runner")).expect("mount");
        assert_eq!(
            mount.rights(&host),
            [
                "ecr:InitiateLayerUpload on arn:aws:ecr:eu-west-1:123456789012:repository/orders",
                "ecr:GetDownloadUrlForLayer on arn:aws:ecr:eu-west-1:123456789012:repository/runner",
            ]
        );
        let put = Access::of("PUT", "/v2/a1b2/orders/manifests/v1", None).expect("put");
        assert_eq!(
            put.rights(&EcrHost::Public),
            ["ecr-public:PutImage on the repository a1b2/orders"]
        );
        let mount = Access::of("POST", "/v2/a1b2/orders/blobs/uploads/", Some("a1b2/runner")).expect("mount");
        assert_eq!(
            mount.rights(&EcrHost::Public),
            ["ecr-public:InitiateLayerUpload on the repository a1b2/orders"]
        );
        for path in ["manifests/v1", "blobs/sha256:00", "referrers/sha256:00"] {
            let read = Access::of("GET", &format!("/v2/a1b2/orders/{path}"), None).expect("read");
            assert!(read.rights(&EcrHost::Public).is_empty(), "{path}");
        }
    }

    #[test]
    fn only_writes_are_limited() {
        for operation in Operation::ALL {
            let is_read = matches!(
                operation,
                Operation::ReadManifest | Operation::FindBlob | Operation::ReadBlob | Operation::ListReferrers
            );
            assert_eq!(operation.per_second().is_none(), is_read, "{operation:?}");
        }
        assert_eq!(Operation::PutManifest.per_second(), Some(10));
        assert_eq!(Operation::FinishUpload.per_second(), Some(100));
    }
}
