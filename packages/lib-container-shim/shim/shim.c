/*
 * continuo-shim: the parent of one container of the process runtime.
 *
 *   continuo-shim STATE_DIR
 *
 * It reads STATE_DIR/spec, starts the command away from its caller and stays until the command has ended. It owns the
 * command's log, terminal, standard input and exit code, so none of them depends on the life of the agent that asked.
 * The caller's exit status says how starting went: 0 started, 1 not started (the reason is on standard error and in
 * STATE_DIR/exit), 3 a shim already runs in this directory.
 *
 * Files in STATE_DIR (each written to a temporary name, synced and renamed):
 *   spec       input: NUL-terminated `key=value` items, see parse()
 *   lock       held with flock(2) while a shim lives
 *   start      `boot`, `shim`, `shimStart`, `pid`, `pidStart`, `started` (ns since the epoch), `mounts`
 *   exit       `code`, `signal`, `oom`, `finished` (ns), or `error` when the command could not be started
 *   shim.sock  a stream socket that speaks frames: type (1 byte), length (4 bytes, little endian), payload
 *
 * Frames to the shim: A attach (1 byte of flags: 1 stdin, 2 stdout, 4 stderr) · E exec (items as in spec) · 0 input ·
 * C end of input · R resize (rows, columns: 2 bytes each) · K signal (number, scope: 0 process group, 1 every descendant).
 * Frames from the shim: O done · F refused (text) · 1 output · 2 error output · X ended (code, signal: 4 bytes each).
 * A connection attaches or executes once. When it closes, its exec is killed; the container is not touched.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define VERSION "1"
enum {
  CLIENTS = 64,                 /* connections at once; a further one is closed */
  PROCS = CLIENTS + 1,          /* the container and one exec for each connection */
  FRAME = 32768,                /* longest payload of a frame to the shim, except E */
  EXEC_FRAME = 1 << 20,         /* longest E */
  QUEUE = 262144,               /* bytes to a client after which its process is no longer read */
  INPUT = 65536,                /* bytes to a process after which its client is no longer read */
  LINE = 16384,                 /* longest line of the log; a longer one is written in parts */
  MIRROR = 4096,                /* entries of a directory that a missing mount point may make us mirror */
  STALL_MS = 10000,             /* an attached client that takes nothing for this long is dropped */
  FLUSH_MS = 5000,              /* how long clients may take to read the last output */
  KILL_MS = 5000,               /* how long we wait for killed processes to vanish */
  ORPHAN_MS = 5000,             /* how often we look whether our directory is still there */
  SAMPLE_MS = 500,              /* how often memory is compared with its limit */
};

struct mount { const char *source, *target; int read_only, fd; };
struct options {
  char **args, **env;
  int nargs, nenv, nmounts, ngroups;
  struct mount *mounts;
  const char *cwd, *cwd_else, *log, *hostname;
  int no_new_privileges, tty, input, input_once, log_files, namespaces;
  long uid, gid, rows, columns;
  long long log_bytes, memory, open_files;
  gid_t groups[64];
};
struct buffer { char *data; size_t start, length, size; };
struct line { char data[LINE]; size_t length; };
struct proc {
  int used, exited, status, tty, input_once, close_input;
  int in, out, err;
  pid_t pid;
  struct buffer input;
};
struct client {
  int fd, flags, leaving;
  struct proc *proc;
  struct buffer in, out;
  long long progress;
};

static struct options container;
static struct proc procs[PROCS];
static struct client clients[CLIENTS];
static struct line lines[2];
static int log_dir = -1, log_file = -1, exit_file = -1, stopping, out_of_memory;
static const char *log_name;
static long long log_size, log_lost;

/* ---- time, files, buffers ---- */

static long long now_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static long long now_ms(void) { return now_ns(CLOCK_MONOTONIC) / 1000000; }

static ssize_t read_file(const char *path, char *into, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t length = 0;
  ssize_t n;
  while (length + 1 < size && (n = read(fd, into + length, size - 1 - length)) > 0) length += n;
  close(fd);
  into[length] = 0;
  return length;
}

/* The fields of /proc/PID/stat that we need: parent and start time in clock ticks since boot. */
static int process_stat(pid_t pid, pid_t *parent, unsigned long long *start) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (read_file(path, text, sizeof text) <= 0) return -1;
  char *after = strrchr(text, ')');
  int ppid = 0;
  unsigned long long began = 0;
  if (!after || sscanf(after + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ppid, &began) != 2) return -1;
  if (parent) *parent = ppid;
  if (start) *start = began;
  return 0;
}

static void commit(int fd, const char *temporary, const char *name, const char *format, ...) {
  char text[1024];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (length >= (int)sizeof text) length = sizeof text - 1;
  if (fd < 0 && (fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0) return;
  if (pwrite(fd, text, length, 0) == length && ftruncate(fd, length) == 0 && fsync(fd) == 0 && rename(temporary, name) == 0) {
    int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fsync(dir);
    close(dir);
  }
  close(fd);
}

static int append(struct buffer *b, const void *data, size_t length) {
  if (b->start && b->start + b->length + length > b->size) {
    memmove(b->data, b->data + b->start, b->length);
    b->start = 0;
  }
  if (b->length + length > b->size) {
    size_t size = b->size ? b->size : 4096;
    while (size < b->length + length) size *= 2;
    char *grown = realloc(b->data, size);
    if (!grown) return -1;
    b->data = grown;
    b->size = size;
  }
  memcpy(b->data + b->start + b->length, data, length);
  b->length += length;
  return 0;
}
static void consume(struct buffer *b, size_t length) {
  b->length -= length;
  b->start = b->length ? b->start + length : 0;
}
static void discard(struct buffer *b) {
  free(b->data);
  memset(b, 0, sizeof *b);
}

/* ---- the log: CRI format, `2024-01-01T00:00:00.000000000Z stdout F text` ---- */

static void log_open(void) {
  log_file = openat(log_dir, log_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat s;
  log_size = log_file >= 0 && fstat(log_file, &s) == 0 ? s.st_size : 0;
}

static void log_rotate(void) {
  char from[300], to[300];
  for (int i = container.log_files - 1; i >= 1; i--) {
    if (i == 1) snprintf(from, sizeof from, "%s", log_name);
    else snprintf(from, sizeof from, "%s.%d", log_name, i - 1);
    snprintf(to, sizeof to, "%s.%d", log_name, i);
    renameat(log_dir, from, log_dir, to);
  }
  if (container.log_files <= 1) unlinkat(log_dir, log_name, 0);
  close(log_file);
  log_open();
}

/* A record is in the log entirely or not at all; what a full disk swallows is counted and told when there is room again. */
static void log_record(int stream, char tag, const char *text, size_t length) {
  char record[LINE + 128];
  struct timespec t;
  struct tm utc;
  clock_gettime(CLOCK_REALTIME, &t);
  gmtime_r(&t.tv_sec, &utc);
  size_t head = strftime(record, 32, "%Y-%m-%dT%H:%M:%S", &utc);
  head += snprintf(record + head, 64, ".%09ldZ %s %c ", t.tv_nsec, stream ? "stderr" : "stdout", tag);
  memcpy(record + head, text, length);
  size_t total = head + length;
  record[total++] = '\n';
  if (container.log_bytes > 0 && log_size > 0 && log_size + (long long)total > container.log_bytes) log_rotate();
  if (log_file < 0) log_open();
  ssize_t n = log_file < 0 ? -1 : write(log_file, record, total);
  if (n == (ssize_t)total) {
    log_size += n;
    return;
  }
  if (n > 0 && ftruncate(log_file, log_size) != 0) log_size += n;
  log_lost += length;
}

static void log_text(int stream, char tag, const char *text, size_t length) {
  if (log_lost) {
    long long lost = log_lost;
    char note[96];
    log_lost = 0;
    log_record(1, 'F', note, snprintf(note, sizeof note, "continuo-shim: %lld bytes of output could not be written to the log", lost));
    if (log_lost) log_lost = lost;
  }
  log_record(stream, tag, text, length);
}

static void log_output(int stream, const char *data, size_t length) {
  struct line *line = &lines[stream];
  while (length) {
    const char *end = memchr(data, '\n', length);
    size_t part = end ? (size_t)(end - data) : length;
    if (part > LINE - line->length) part = LINE - line->length, end = NULL;
    memcpy(line->data + line->length, data, part);
    line->length += part;
    if (end || line->length == LINE) {
      log_text(stream, end ? 'F' : 'P', line->data, line->length);
      line->length = 0;
    }
    data += part + (end != NULL);
    length -= part + (end != NULL);
  }
}

/* ---- the process tree ---- */

static int children(pid_t pid, pid_t *found, int count, int limit) {
  char path[320], text[65536], *at = text, *end;
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *tasks = opendir(path);
  for (struct dirent *e; tasks && (e = readdir(tasks));) {
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, e->d_name);
    if (!isdigit(e->d_name[0]) || read_file(path, text, sizeof text) < 0) continue;
    for (at = text; count < limit; at = end) {
      long child = strtol(at, &end, 10);
      if (end == at) break;
      found[count++] = child;
    }
  }
  if (tasks) closedir(tasks);
  return count;
}

/* For kernels without the `children` file: every process whose parent is `pid`. */
static int scan(pid_t pid, pid_t *found, int count, int limit) {
  DIR *all = opendir("/proc");
  pid_t parent;
  for (struct dirent *e; all && (e = readdir(all)) && count < limit;)
    if (isdigit(e->d_name[0]) && process_stat(atoi(e->d_name), &parent, NULL) == 0 && parent == pid) found[count++] = atoi(e->d_name);
  if (all) closedir(all);
  return count;
}

/* All descendants of this shim. */
static int tree(pid_t *found, int limit) {
  int count = 0;
  int quick = access("/proc/thread-self/children", R_OK) == 0;
  for (int i = -1; i < count; i++) count = (quick ? children : scan)(i < 0 ? getpid() : found[i], found, count, limit);
  return count;
}

static void signal_all(int number) {
  static pid_t found[4096];
  int count = tree(found, 4096);
  for (int i = 0; i < count; i++) kill(found[i], number);
}

/* Reaps what has ended. Returns 0 when there is no child left; orphans of the container are our children too. */
static int reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (int i = 0; i < PROCS; i++)
      if (procs[i].used && procs[i].pid == pid) procs[i].exited = 1, procs[i].status = status;
  return pid == 0;
}

static void kill_everything(void) {
  for (long long end = now_ms() + KILL_MS; reap() && now_ms() < end; usleep(2000)) signal_all(SIGKILL);
}

/* Bytes that are this container's own: resident pages without those that are shared with files. */
static long long memory_used(void) {
  static pid_t found[4096];
  int count = tree(found, 4096);
  long long pages = 0;
  for (int i = 0; i < count; i++) {
    char path[64], text[128];
    long long resident = 0, shared = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)found[i]);
    if (read_file(path, text, sizeof text) > 0 && sscanf(text, "%*d %lld %lld", &resident, &shared) == 2) pages += resident - shared;
  }
  return pages * sysconf(_SC_PAGESIZE);
}

/* ---- options ---- */

static int parse(struct options *o, char *data, size_t length) {
  size_t items = 0;
  for (size_t i = 0; i < length; i++) items += data[i] == 0;
  if (length == 0 || data[length - 1] != 0) return -1;
  char **args = calloc(items + 1, sizeof *args), **env = calloc(items + 2, sizeof *env);
  struct mount *mounts = calloc(items + 1, sizeof *mounts);
  if (!args || !env || !mounts) return -1;
  int nenv = 0, nargs = 0, nmounts = 0;
  for (char *item = data; item < data + length; item += strlen(item) + 1) {
    char *value = strchr(item, '=');
    if (!value) return -1;
    size_t key = value++ - item;
#define IS(name) (key == sizeof name - 1 && memcmp(item, name, key) == 0)
    if (IS("arg")) args[nargs++] = value;
    else if (IS("env")) env[nenv++] = value;
    else if (IS("cwd")) o->cwd = value;
    else if (IS("cwdElse")) o->cwd_else = value;
    else if (IS("noNewPrivileges")) o->no_new_privileges = atoi(value);
    else if (IS("tty")) o->tty = atoi(value);
    else if (IS("stdin")) o->input = atoi(value);
    else if (IS("stdinOnce")) o->input_once = atoi(value);
    else if (IS("hostname")) o->hostname = value;
    else if (IS("log")) o->log = value;
    else if (IS("logBytes")) o->log_bytes = atoll(value);
    else if (IS("logFiles")) o->log_files = atoi(value);
    else if (IS("memory")) o->memory = atoll(value);
    else if (IS("openFiles")) o->open_files = atoll(value);
    else if (IS("uid")) o->uid = atol(value);
    else if (IS("gid")) o->gid = atol(value);
    else if (IS("group")) { if (o->ngroups < 64) o->groups[o->ngroups++] = atol(value); }
    else if (IS("rows")) o->rows = atol(value);
    else if (IS("columns")) o->columns = atol(value);
    else if (IS("namespaces")) o->namespaces = atoi(value);
    else if (IS("mountSource")) mounts[nmounts].source = value;
    else if (IS("mountTarget")) mounts[nmounts].target = value;
    else if (IS("mountReadOnly")) mounts[nmounts++].read_only = atoi(value);
    else return -1;
#undef IS
  }
  o->args = args, o->nargs = nargs;
  if (nenv || !o->env) o->env = env, o->nenv = nenv;
  else free(env);
  if (nmounts) o->mounts = mounts, o->nmounts = nmounts;
  else free(mounts);
  return nargs > 0 ? 0 : -1;
}

/* ---- namespaces: volumes at their true paths and a host name, without changing what others see ---- */

static int write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = write(fd, text, strlen(text));
  close(fd);
  return n == (ssize_t)strlen(text) ? 0 : -1;
}

static int enter_namespace(void) {
  char map[64];
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (uid != 0 || unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0) {
    if (container.uid >= 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) != 0) return -1;
    write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    if (write_text("/proc/self/uid_map", map) != 0) return -1;
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    if (write_text("/proc/self/gid_map", map) != 0) return -1;
  }
  if (container.hostname && sethostname(container.hostname, strlen(container.hostname)) != 0) return -1;
  return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}

/* Some systems let us enter a user namespace and forbid everything in it, so a child tries first: there is no way back. */
static int namespaces_work(void) {
  int status = 1;
  pid_t pid = fork();
  if (pid == 0) _exit(enter_namespace() != 0);
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Builds in `stage` a tmpfs that shows all of `directory` by bind mounts, so that names can be added to it. */
static int mirror(const char *directory, const char *stage) {
  struct stat s;
  char from[4200], to[4200], option[32], link[4096];
  DIR *dir = opendir(directory);
  if (!dir || stat(directory, &s) != 0) return -1;
  snprintf(option, sizeof option, "mode=%o", s.st_mode & 07777);
  if (mount("continuo", stage, "tmpfs", MS_NOSUID | MS_NODEV, option) != 0) return -1;
  int n = 0;
  for (struct dirent *e; (e = readdir(dir));) {
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    if (++n > MIRROR) return -1;
    snprintf(from, sizeof from, "%s/%s", strcmp(directory, "/") ? directory : "", e->d_name);
    snprintf(to, sizeof to, "%s/%s", stage, e->d_name);
    if (lstat(from, &s) != 0) continue;
    if (S_ISLNK(s.st_mode)) {
      ssize_t length = readlink(from, link, sizeof link - 1);
      if (length > 0 && (link[length] = 0, symlink(link, to)) != 0) return -1;
      continue;
    }
    if (S_ISDIR(s.st_mode) ? mkdir(to, 0755) : mknod(to, S_IFREG | 0600, 0)) return -1;
    if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) != 0) S_ISDIR(s.st_mode) ? rmdir(to) : unlink(to);
  }
  closedir(dir);
  return 0;
}

static int new_root(const char *stage) {
  if (mirror("/", stage) != 0 || chdir(stage) != 0) return -1;
  if (syscall(SYS_pivot_root, ".", ".") == 0) return umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 ? 0 : -1;
  return chroot(".") == 0 && chdir("/") == 0 ? 0 : -1;
}

/* The longest existing directory above `target`, into `into`. */
static void ancestor(const char *target, char *into, size_t size) {
  struct stat s;
  snprintf(into, size, "%s", target);
  do {
    char *slash = strrchr(into, '/');
    if (!slash || slash == into) { strcpy(into, "/"); return; }
    *slash = 0;
  } while (stat(into, &s) != 0 || !S_ISDIR(s.st_mode));
}

static int same_type(const char *target, int directory) {
  struct stat s;
  return stat(target, &s) == 0 && (S_ISDIR(s.st_mode) ? 1 : 0) == directory;
}

static int make_target(const char *target, int directory) {
  char path[4096];
  snprintf(path, sizeof path, "%s", target);
  for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
    *p = 0;
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return -1;
  }
  return directory ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0);
}

static dev_t mirrors[32];
static int nmirrors;

static int is_mirror(const char *directory) {
  struct stat s;
  for (int i = 0; stat(directory, &s) == 0 && i < nmirrors; i++)
    if (mirrors[i] == s.st_dev) return 1;
  return 0;
}

static int mount_volume(const struct mount *m, const char *stage) {
  char above[4096], real[4096], source[32];
  struct stat s;
  if (m->fd < 0 || fstat(m->fd, &s) != 0) return -1;
  int directory = S_ISDIR(s.st_mode);
  if (!same_type(m->target, directory)) {
    ancestor(m->target, above, sizeof above);
    if (!is_mirror(above)) {
      if (nmirrors == 32 || !realpath(above, real) || mirror(real, stage) != 0 || stat(stage, &s) != 0) return -1;
      mirrors[nmirrors++] = s.st_dev;
      if (mount(stage, real, NULL, MS_MOVE, NULL) != 0) return -1;
    }
    if (make_target(m->target, directory) != 0) return -1;
  }
  snprintf(source, sizeof source, "/proc/self/fd/%d", m->fd);
  if (mount(source, m->target, NULL, MS_BIND | MS_REC, NULL) != 0) return -1;
  if (!m->read_only) return 0;
  struct statvfs v;
  unsigned long keep = statvfs(m->target, &v) == 0 ? v.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME | ST_RELATIME) : 0;
  return mount(NULL, m->target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | keep, NULL);
}

/* "namespace" when each volume is at its path, "partial" when some is not, "none" when the system allows no namespace. */
static const char *mount_volumes(const char *state) {
  char stage[4200], above[4096];
  struct stat s;
  int failed = 0, root = 0;
  if (!container.namespaces || !namespaces_work() || enter_namespace() != 0) return "none";
  snprintf(stage, sizeof stage, "%s/stage", state);
  mkdir(stage, 0700);
  for (int i = 0; i < container.nmounts; i++) {
    ancestor(container.mounts[i].target, above, sizeof above);
    root |= !strcmp(above, "/") && stat(container.mounts[i].target, &s) != 0;
  }
  if (root) {
    if (new_root(stage) == 0 && stat("/", &s) == 0) mirrors[nmirrors++] = s.st_dev;
    else failed = 1;
    if (chdir(state) != 0) return "partial";
  }
  for (int i = 0; i < container.nmounts; i++) container.mounts[i].fd = open(container.mounts[i].source, O_PATH | O_CLOEXEC);
  for (int i = 0; i < container.nmounts; i++) {
    failed |= mount_volume(&container.mounts[i], stage) != 0;
    close(container.mounts[i].fd);
  }
  return failed ? "partial" : "namespace";
}

/* ---- processes ---- */

struct failure { int error; char stage[16]; };

static void child(const struct options *o, const struct proc *p, int in, int out, int err, int report) {
  struct failure f = {0, "start"};
  sigset_t none;
  sigemptyset(&none);
  setsid();
  if ((o->tty && ioctl(in, TIOCSCTTY, 0) != 0) || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) goto failed;
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (o->open_files > 0) {
    struct rlimit limit = {o->open_files, o->open_files};
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  strcpy(f.stage, "user");
  if (o->uid >= 0 || o->gid >= 0) {
    gid_t gid = o->gid >= 0 ? o->gid : getegid();
    if ((geteuid() == 0 && setgroups(o->ngroups, o->groups) != 0) || setgid(gid) != 0) goto failed;
    if (o->uid >= 0 && setuid(o->uid) != 0) goto failed;
  }
  if (p == &procs[0]) prctl(PR_SET_PDEATHSIG, SIGKILL);
  strcpy(f.stage, "chdir");
  if (o->cwd && chdir(o->cwd) != 0 && (!o->cwd_else || chdir(o->cwd_else) != 0)) goto failed;
  if (o->no_new_privileges) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  strcpy(f.stage, "exec");
  environ = o->env;
  if (o->tty) setenv("TERM", "xterm", 0);
  execvp(o->args[0], o->args);
failed:
  f.error = errno;
  if (write(report, &f, sizeof f) < 0) _exit(126);
  _exit(127);
}

static const char *why(const struct options *o, const struct failure *f) {
  static char text[512];
  if (!strcmp(f->stage, "exec") && (f->error == ENOENT || f->error == EACCES || f->error == ENOTDIR) && !strchr(o->args[0], '/'))
    snprintf(text, sizeof text, "exec: \"%.200s\": executable file not found in $PATH", o->args[0]);
  else if (!strcmp(f->stage, "exec")) snprintf(text, sizeof text, "exec: \"%.200s\": %s", o->args[0], strerror(f->error));
  else if (!strcmp(f->stage, "chdir")) snprintf(text, sizeof text, "chdir to \"%.200s\": %s", o->cwd, strerror(f->error));
  else snprintf(text, sizeof text, "%s: %s", f->stage, strerror(f->error));
  return text;
}

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* Starts a process. Returns NULL, or the reason why not. */
static const char *spawn(struct proc *p, const struct options *o) {
  int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, report[2];
  struct failure f = {0, "start"};
  char name[64];
  memset(p, 0, sizeof *p);
  p->tty = o->tty, p->input_once = o->input_once, p->in = p->out = p->err = -1;
  if (pipe2(report, O_CLOEXEC) != 0) return "out of file descriptors";
  if (o->tty) {
    struct winsize size = {.ws_row = o->rows, .ws_col = o->columns};
    out[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (out[0] < 0 || grantpt(out[0]) != 0 || unlockpt(out[0]) != 0 || ptsname_r(out[0], name, sizeof name) != 0) goto failed;
    if ((out[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) goto failed;
    if (size.ws_row || size.ws_col) ioctl(out[1], TIOCSWINSZ, &size);
    in[0] = fcntl(out[1], F_DUPFD_CLOEXEC, 3), err[1] = fcntl(out[1], F_DUPFD_CLOEXEC, 3), in[1] = fcntl(out[0], F_DUPFD_CLOEXEC, 3);
  } else {
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) goto failed;
    if (o->input ? pipe2(in, O_CLOEXEC) != 0 : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) goto failed;
  }
  if (o->uid >= 0 && (fchown(out[1], o->uid, -1) | fchown(err[1], o->uid, -1)) != 0) goto failed;
  if ((p->pid = fork()) < 0) goto failed;
  if (p->pid == 0) child(o, p, in[0], out[1], err[1], report[1]);
  close_fd(&in[0]), close_fd(&out[1]), close_fd(&err[1]), close_fd(&report[1]);
  p->in = in[1], p->out = out[0], p->err = err[0];
  int fds[] = {p->in, p->out, p->err};
  for (int i = 0; i < 3; i++)
    if (fds[i] >= 0) fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
  ssize_t n = read(report[0], &f, sizeof f);
  close(report[0]);
  p->used = 1;
  if (n != sizeof f) return NULL;
  waitpid(p->pid, NULL, 0);
  p->used = 0;
  close_fd(&p->in), close_fd(&p->out), close_fd(&p->err);
  return why(o, &f);
failed:
  f.error = errno;
  close_fd(&in[0]), close_fd(&in[1]), close_fd(&out[0]), close_fd(&out[1]), close_fd(&err[0]), close_fd(&err[1]), close_fd(&report[0]), close_fd(&report[1]);
  return why(o, &f);
}

/* ---- clients ---- */

static void send_frame(struct client *c, char type, const void *payload, size_t length) {
  unsigned char head[5] = {type, length, length >> 8, length >> 16, length >> 24};
  if (c->fd < 0) return;
  if (!c->out.length) c->progress = now_ms();
  if (append(&c->out, head, 5) != 0 || append(&c->out, payload, length) != 0) c->leaving = 1, c->out.length = 0;
}

static void end_input(struct proc *p) {
  if (!p->tty) p->close_input = 1;
}

static void drop(struct client *c) {
  close_fd(&c->fd);
  if (c->proc && c->proc != &procs[0] && c->proc->used && !c->proc->exited) kill(-c->proc->pid, SIGKILL);
  if (c->proc == &procs[0] && (c->flags & 1) && procs[0].input_once) end_input(&procs[0]);
  discard(&c->in), discard(&c->out);
  c->proc = NULL;
}

static void send_end(struct client *c, const struct proc *p) {
  uint32_t end[2] = {WIFSIGNALED(p->status) ? 128 + WTERMSIG(p->status) : WEXITSTATUS(p->status), WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0};
  send_frame(c, 'X', end, sizeof end);
  c->proc = NULL;
  c->leaving = 1;
}

static void refuse(struct client *c, const char *text) {
  send_frame(c, 'F', text, strlen(text));
  c->leaving = 1;
}

static void start_exec(struct client *c, const char *data, size_t length) {
  struct options o = container;
  char *copy = malloc(length);
  struct proc *p = NULL;
  o.tty = o.input = o.input_once = 0, o.rows = o.columns = 0, o.nargs = o.nmounts = 0;
  for (int i = 1; i < PROCS && !p; i++)
    if (!procs[i].used) p = &procs[i];
  if (!p || c->proc || !copy || (memcpy(copy, data, length), parse(&o, copy, length)) != 0) {
    refuse(c, "malformed or too many exec requests");
  } else {
    const char *error = spawn(p, &o);
    if (error) refuse(c, error);
    else c->proc = p, c->flags = 7, send_frame(c, 'O', NULL, 0);
    free(o.args);
    if (o.env != container.env) free(o.env);
  }
  free(copy);
}

/* Handles one frame. Returns 0 when it must wait because the process has not yet taken earlier input. */
static int handle(struct client *c, char type, const char *data, size_t length) {
  struct proc *p = c->proc;
  if (type == 'A' && length == 1 && !p) {
    c->proc = &procs[0], c->flags = data[0];
    send_frame(c, 'O', NULL, 0);
  } else if (type == 'E' && !p) {
    start_exec(c, data, length);
  } else if (type == '0' && p) {
    if (p->in < 0 || p->close_input || !(c->flags & 1)) return 1;
    if (p->input.length + length > INPUT && p->input.length) return 0;
    append(&p->input, data, length);
  } else if (type == 'C' && p) {
    if ((c->flags & 1) && (p != &procs[0] || p->input_once)) end_input(p);
  } else if (type == 'R' && p && length == 4) {
    const unsigned char *d = (const unsigned char *)data;
    struct winsize size = {.ws_row = d[0] | d[1] << 8, .ws_col = d[2] | d[3] << 8};
    if (p->tty) ioctl(p->out, TIOCSWINSZ, &size);
  } else if (type == 'K' && length == 2) {
    if (data[1]) signal_all(data[0]);
    else if (!procs[0].exited) kill(-procs[0].pid, data[0]);
    send_frame(c, 'O', NULL, 0);
  } else if (type != '0' && type != 'C' && type != 'R') {
    refuse(c, "unknown request");
  }
  return 1;
}

static void handle_frames(struct client *c) {
  while (c->fd >= 0 && !c->leaving && c->in.length >= 5) {
    const unsigned char *d = (const unsigned char *)c->in.data + c->in.start;
    size_t length = d[1] | d[2] << 8 | d[3] << 16 | (size_t)d[4] << 24;
    if (length > (d[0] == 'E' ? EXEC_FRAME : FRAME)) { refuse(c, "frame too large"); return; }
    if (c->in.length < 5 + length || !handle(c, d[0], (const char *)d + 5, length)) return;
    consume(&c->in, 5 + length);
  }
}

static void read_client(struct client *c) {
  char data[16384];
  ssize_t n = read(c->fd, data, sizeof data);
  if (n == 0 || (n < 0 && errno != EAGAIN)) { drop(c); return; }
  if (n > 0 && append(&c->in, data, n) != 0) drop(c);
}

static void write_client(struct client *c) {
  ssize_t n = c->out.length ? write(c->fd, c->out.data + c->out.start, c->out.length) : 0;
  if (n < 0 && errno != EAGAIN) { drop(c); return; }
  if (n > 0) consume(&c->out, n), c->progress = now_ms();
  if (c->leaving && !c->out.length) drop(c);
}

static int crowded(const struct proc *p) {
  for (int i = 0; i < CLIENTS; i++)
    if (clients[i].fd >= 0 && clients[i].proc == p && clients[i].out.length > QUEUE) return 1;
  return 0;
}

/* Reads a process's output once. Returns whether there may be more. */
static int read_output(struct proc *p, int stream) {
  char data[16384];
  int *fd = stream ? &p->err : &p->out;
  if (*fd < 0) return 0;
  ssize_t n = read(*fd, data, sizeof data);
  if (n < 0 && errno == EAGAIN && !p->exited) return 0;
  if (n <= 0) { close_fd(fd); return 0; }
  if (p == &procs[0]) log_output(stream, data, n);
  for (int i = 0; i < CLIENTS; i++)
    if (clients[i].fd >= 0 && clients[i].proc == p && clients[i].flags & (stream ? 4 : 2)) send_frame(&clients[i], stream ? '2' : '1', data, n);
  return 1;
}

static void write_input(struct proc *p) {
  ssize_t n = p->input.length ? write(p->in, p->input.data + p->input.start, p->input.length) : 0;
  if (n > 0) consume(&p->input, n);
  if ((n < 0 && errno != EAGAIN) || (p->close_input && !p->input.length)) close_fd(&p->in), discard(&p->input);
}

/* ---- the life of the container ---- */

static void finish(void) {
  struct proc *p = &procs[0];
  long long finished = now_ns(CLOCK_REALTIME);
  kill_everything();
  while (read_output(p, 0) | read_output(p, 1));
  for (int i = 0; i < 2; i++)
    if (lines[i].length) log_text(i, 'P', lines[i].data, lines[i].length);
  int signal = WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
  commit(exit_file, "exit.new", "exit", "code=%d\nsignal=%d\noom=%d\nfinished=%lld\n", signal ? 128 + signal : WEXITSTATUS(p->status), signal, out_of_memory, finished);
  for (int i = 0; i < CLIENTS; i++)
    if (clients[i].fd >= 0 && clients[i].proc) {
      for (struct proc *q = clients[i].proc; q != p && (read_output(q, 0) | read_output(q, 1)););
      send_end(&clients[i], clients[i].proc);
    }
  unlink("shim.sock");
  stopping = 1;
}

static void accept_clients(int listener) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    struct client *c = clients;
    while (c < clients + CLIENTS && c->fd >= 0) c++;
    if (c < clients + CLIENTS) *c = (struct client){.fd = fd};
    else close(fd);
  }
}

static int step(int signals, int listener) {
  struct pollfd polls[2 + 3 * PROCS + CLIENTS];
  struct { struct proc *proc; struct client *client; int what; } owner[2 + 3 * PROCS + CLIENTS];
  int n = 0, wait = -1, busy = 0;
#define ADD(descriptor, wanted, p, c, w) do { \
    polls[n] = (struct pollfd){.fd = descriptor, .events = wanted}; \
    owner[n].proc = p, owner[n].client = c, owner[n++].what = w; \
  } while (0)
  ADD(signals, POLLIN, NULL, NULL, 0);
  ADD(stopping ? -1 : listener, POLLIN, NULL, NULL, 0);
  for (struct proc *p = procs; p < procs + PROCS; p++) {
    if (!p->used) continue;
    int take = !crowded(p);
    if (p->exited && take && (p->out >= 0 || p->err >= 0)) wait = 0;
    if (p->in >= 0 && (p->input.length || p->close_input)) ADD(p->in, POLLOUT, p, NULL, 0);
    if (p->out >= 0 && take) ADD(p->out, POLLIN, p, NULL, 1);
    if (p->err >= 0 && take) ADD(p->err, POLLIN, p, NULL, 2);
  }
  for (struct client *c = clients; c < clients + CLIENTS; c++) {
    if (c->fd < 0) continue;
    busy = 1;
    if (c->out.length && wait) wait = SAMPLE_MS;
    ADD(c->fd, (c->in.length > FRAME + 5 && c->proc ? 0 : POLLIN) | (c->out.length ? POLLOUT : 0), NULL, c, 0);
  }
  if (stopping && !busy) return 0;
  if (wait < 0) wait = container.memory > 0 || stopping ? SAMPLE_MS : ORPHAN_MS;
  if (poll(polls, n, wait) < 0 && errno != EINTR) return 0;
  if (polls[0].revents) {
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGCHLD && !stopping) kill_everything();
    reap();
  }
  if (polls[1].revents) accept_clients(listener);
  for (int i = 2; i < n; i++) {
    struct proc *p = owner[i].proc;
    struct client *c = owner[i].client;
    if (p && owner[i].what == 0 && polls[i].revents && p->in >= 0) write_input(p);
    else if (p && owner[i].what && (polls[i].revents || p->exited)) read_output(p, owner[i].what - 1);
    else if (c && c->fd >= 0 && polls[i].revents & POLLOUT) write_client(c);
    if (c && c->fd >= 0 && polls[i].revents & (POLLIN | POLLHUP | POLLERR)) read_client(c);
  }
  for (struct client *c = clients; c < clients + CLIENTS; c++) {
    if (c->fd < 0) continue;
    handle_frames(c);
    if (c->leaving && !c->out.length) drop(c);
    else if (c->out.length && (c->proc == &procs[0] || stopping) && now_ms() - c->progress > (stopping ? FLUSH_MS : STALL_MS)) drop(c);
  }
  for (struct proc *p = procs + 1; p < procs + PROCS && !stopping; p++) {
    if (!p->used || !p->exited || p->out >= 0 || p->err >= 0) continue;
    for (struct client *c = clients; c < clients + CLIENTS; c++)
      if (c->fd >= 0 && c->proc == p) send_end(c, p);
    close_fd(&p->in), discard(&p->input);
    p->used = 0;
  }
  return 1;
}

static int detach(void) {
  int ready[2];
  char text[600];
  if (pipe2(ready, O_CLOEXEC) != 0) exit(1);
  pid_t pid = fork();
  if (pid < 0) exit(1);
  if (pid > 0) {
    close(ready[1]);
    ssize_t n = read(ready[0], text, sizeof text);
    if (n == 1 && text[0] == 0) exit(0);
    if (n > 0 && write(2, text, n) < 0) exit(1);
    exit(1);
  }
  close(ready[0]);
  setsid();
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0), dup2(null, 1), dup2(null, 2);
  if (null > 2) close(null);
  return ready[1];
}

static int listen_here(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "shim.sock"};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  unlink(address.sun_path);
  mode_t mask = umask(0177);
  int bad = bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0;
  umask(mask);
  return bad ? -1 : fd;
}

static void load(const char *state) {
  struct stat s;
  int fd = open("spec", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &s) != 0 || s.st_size > 4 << 20) { dprintf(2, "cannot read %s/spec: %s\n", state, strerror(errno)); exit(1); }
  char *data = malloc(s.st_size + 1);
  container.uid = container.gid = -1;
  if (!data || read(fd, data, s.st_size) != s.st_size || parse(&container, data, s.st_size) != 0 || !container.log) {
    dprintf(2, "malformed %s/spec\n", state);
    exit(1);
  }
  close(fd);
}

static void open_log(void) {
  char dir[4096];
  snprintf(dir, sizeof dir, "%s", container.log);
  char *slash = strrchr(dir, '/');
  if (slash) *slash = 0;
  log_dir = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  log_name = slash ? container.log + (slash - dir) + 1 : container.log;
  log_open();
}

/* Whoever removed our directory wants the container to be gone too, and nobody could ever find it again. */
static int orphaned(void) {
  static int counts; /* some file systems count no links of directories */
  struct stat s;
  if (stat(".", &s) != 0) return 0;
  counts |= s.st_nlink > 0;
  return counts && s.st_nlink == 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "--version")) return puts("continuo-shim " VERSION) < 0;
  if (argc != 2 || argv[1][0] != '/' || chdir(argv[1]) != 0) return dprintf(2, "usage: continuo-shim STATE_DIR (absolute)\n"), 2;
  int lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) return dprintf(2, "a shim already runs in %s\n", argv[1]), 3;
  load(argv[1]);
  int ready = detach();
  for (int fd = 3; fd < 256; fd++)
    if (fd != ready && fd != lock) close(fd);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "continuo-shim");
  for (int i = 0; i < CLIENTS; i++) clients[i].fd = -1;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD), sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  open_log();
  exit_file = open("exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (posix_fallocate(exit_file, 0, 512) != 0) { /* no room is reserved; the exit record may be lost on a full disk */ }
  const char *mounts = mount_volumes(argv[1]);
  int listener = listen_here();
  const char *error = listener < 0 ? "cannot listen on shim.sock" : spawn(&procs[0], &container);
  if (error) {
    commit(exit_file, "exit.new", "exit", "error=%s\ncode=128\nsignal=0\noom=0\nfinished=%lld\n", error, now_ns(CLOCK_REALTIME));
    return write(ready, error, strlen(error)) < 0;
  }
  char boot[64] = "";
  unsigned long long own = 0, began = 0;
  ssize_t n = read_file("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
  if (n > 0 && boot[n - 1] == '\n') boot[n - 1] = 0;
  process_stat(getpid(), NULL, &own), process_stat(procs[0].pid, NULL, &began);
  commit(-1, "start.new", "start", "boot=%s\nshim=%d\nshimStart=%llu\npid=%d\npidStart=%llu\nstarted=%lld\nmounts=%s\n", boot, (int)getpid(), own,
         (int)procs[0].pid, began, now_ns(CLOCK_REALTIME), mounts);
  if (write(ready, "", 1) < 0) { /* the agent has gone; the container stays, and the next agent finds it */ }
  close(ready);
  orphaned();
  for (long long sampled = 0, looked = now_ms(); step(signals, listener);) {
    if (procs[0].exited && !stopping) finish();
    if (now_ms() - looked >= ORPHAN_MS && (looked = now_ms()) && orphaned()) kill_everything();
    if (stopping || container.memory <= 0 || now_ms() - sampled < SAMPLE_MS) continue;
    sampled = now_ms();
    if (memory_used() > container.memory) out_of_memory = 1, kill_everything();
  }
  return 0;
}
