// A registry for measurements that behaves like Amazon's: Basic credentials for every request, blobs that belong to one
// repository, downloads redirected to a second host, and every answer late. It keeps everything in memory and counts requests.
//
//	go run . -delay 50ms -mount=false
//
// prints "registry ADDRESS", "storage ADDRESS" and "control ADDRESS". GET /requests on control answers the number of requests
// since the last time it was asked.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var paths = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/([^/]+|uploads/[^/]*)$`)

type manifest struct {
	mediaType string
	content   []byte
}

type repository struct {
	blobs     map[string]bool
	manifests map[string]manifest // by tag and by digest
}

type registry struct {
	sync.Mutex
	repositories map[string]*repository
	content      map[string][]byte // every blob, whoever owns it
	uploads      map[string][]byte
	storage      string
	mounts       bool
	requests     int64
}

func (r *registry) repository(name string) *repository {
	found, ok := r.repositories[name]
	if !ok {
		found = &repository{map[string]bool{}, map[string]manifest{}}
		r.repositories[name] = found
	}
	return found
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	// A body is read before the lock is taken: it arrives at the pace of the client.
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	if _, password, ok := request.BasicAuth(); !ok || password == "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="bench",service="ecr.amazonaws.com"`)
		http.Error(w, "Not Authorized", http.StatusUnauthorized)
		return
	}
	if request.URL.Path == "/v2/" {
		w.WriteHeader(http.StatusOK)
		return
	}
	match := paths.FindStringSubmatch(request.URL.Path)
	if match == nil {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "no such path")
		return
	}
	name, reference := match[1], match[3]
	r.Lock()
	defer r.Unlock()
	switch {
	case match[2] == "manifests":
		r.serveManifest(w, request, r.repository(name), reference, body)
	case strings.HasPrefix(reference, "uploads/"):
		r.serveUpload(w, request, name, strings.TrimPrefix(reference, "uploads/"), body)
	default:
		r.serveBlob(w, request, r.repository(name), reference)
	}
}

func (r *registry) serveManifest(w http.ResponseWriter, request *http.Request, repo *repository, reference string, body []byte) {
	if request.Method == http.MethodPut {
		if missing := r.missing(repo, body); missing != "" {
			refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", missing+" is not in this repository")
			return
		}
		digest := digestOf(body)
		stored := manifest{request.Header.Get("Content-Type"), body}
		repo.manifests[reference], repo.manifests[digest] = stored, stored
		w.Header().Set("Docker-Content-Digest", digest)
		w.WriteHeader(http.StatusCreated)
		return
	}
	found, ok := repo.manifests[reference]
	if !ok {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
		return
	}
	w.Header().Set("Content-Type", found.mediaType)
	w.Header().Set("Docker-Content-Digest", digestOf(found.content))
	w.Header().Set("Content-Length", strconv.Itoa(len(found.content)))
	if request.Method == http.MethodGet {
		_, _ = w.Write(found.content)
	}
}

// missing names what a manifest refers to and its repository lacks.
func (r *registry) missing(repo *repository, content []byte) string {
	type descriptor struct{ Digest string }
	var parts struct {
		Config    *descriptor
		Layers    []descriptor
		Manifests []descriptor
	}
	if json.Unmarshal(content, &parts) != nil {
		return "a manifest in JSON"
	}
	if parts.Config != nil {
		parts.Layers = append(parts.Layers, *parts.Config)
	}
	for _, blob := range parts.Layers {
		if !repo.blobs[blob.Digest] {
			return blob.Digest
		}
	}
	for _, child := range parts.Manifests {
		if _, ok := repo.manifests[child.Digest]; !ok {
			return child.Digest
		}
	}
	return ""
}

func (r *registry) serveBlob(w http.ResponseWriter, request *http.Request, repo *repository, digest string) {
	if !repo.blobs[digest] {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
		return
	}
	if request.Method == http.MethodGet {
		http.Redirect(w, request, "http://"+r.storage+"/"+digest, http.StatusTemporaryRedirect)
		return
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Length", strconv.Itoa(len(r.content[digest])))
}

func (r *registry) serveUpload(w http.ResponseWriter, request *http.Request, name, session string, body []byte) {
	query := request.URL.Query()
	location := func(session string) { w.Header().Set("Location", "/v2/"+name+"/blobs/uploads/"+session) }
	finish := func(content []byte, digest string) {
		if digestOf(content) != digest {
			refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "the content is another")
			return
		}
		r.content[digest] = content
		r.repository(name).blobs[digest] = true
		w.Header().Set("Docker-Content-Digest", digest)
		w.WriteHeader(http.StatusCreated)
	}
	switch request.Method {
	case http.MethodPost:
		mount, from := query.Get("mount"), query.Get("from")
		if r.mounts && mount != "" && r.repository(from).blobs[mount] {
			r.repository(name).blobs[mount] = true
			w.Header().Set("Docker-Content-Digest", mount)
			w.WriteHeader(http.StatusCreated)
			return
		}
		random := make([]byte, 16)
		_, _ = rand.Read(random)
		session = hex.EncodeToString(random)
		r.uploads[session] = nil
		location(session)
		w.WriteHeader(http.StatusAccepted)
	case http.MethodPatch:
		r.uploads[session] = append(r.uploads[session], body...)
		location(session)
		w.Header().Set("Range", fmt.Sprintf("0-%d", len(r.uploads[session])-1))
		w.WriteHeader(http.StatusCreated) // 201, as Amazon does; everybody else says 202
	case http.MethodPut:
		content := append(r.uploads[session], body...)
		delete(r.uploads, session)
		finish(content, query.Get("digest"))
	case http.MethodDelete:
		delete(r.uploads, session)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func main() {
	delay := flag.Duration("delay", 50*time.Millisecond, "how late every answer is")
	mount := flag.Bool("mount", false, "whether a blob can be mounted from another repository")
	flag.Parse()

	r := &registry{repositories: map[string]*repository{}, content: map[string][]byte{}, uploads: map[string][]byte{}, mounts: *mount}
	late := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			atomic.AddInt64(&r.requests, 1)
			time.Sleep(*delay)
			next.ServeHTTP(w, request)
		})
	}
	storage := http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "" {
			http.Error(w, "credentials of the registry have no business here", http.StatusBadRequest)
			return
		}
		r.Lock()
		content := r.content[strings.TrimPrefix(request.URL.Path, "/")]
		r.Unlock()
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content)
	})
	control := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, atomic.SwapInt64(&r.requests, 0))
	})

	failed := make(chan error)
	serve := func(what string, handler http.Handler) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() { failed <- http.Serve(listener, handler) }()
		fmt.Println(what, listener.Addr())
		return listener.Addr().String()
	}
	r.storage = serve("storage", late(storage))
	serve("control", control)
	serve("registry", late(r))
	fmt.Fprintln(os.Stderr, <-failed)
	os.Exit(1)
}
