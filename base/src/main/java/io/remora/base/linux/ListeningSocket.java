package io.remora.base.linux;

import io.remora.base.Timer;

/** A listening socket of one {@link LinuxLoop}: takes what has come in, some of it in each turn, and waits where descriptors or memory are short. */
abstract class ListeningSocket extends Watched {
  private static final int MAX_ACCEPTS_PER_TURN = 128;
  private static final long RETRY_NS = 100_000_000L;
  static final System.Logger LOG = System.getLogger("io.remora.base");

  final LinuxLoop loop;
  final Libc libc;
  private final Timer again;
  private boolean shortOfFiles;
  private boolean closed;

  ListeningSocket(LinuxLoop loop, int fd) {
    super(fd);
    this.loop = loop;
    this.libc = loop.libc();
    this.again = loop.timer(this::accept);
  }

  /** Takes one connection: its descriptor, or a negated error number. */
  abstract int acceptOne();

  /** Gives the connection {@code socket} to who waits for it. */
  abstract void accepted(int socket);

  /** Listens no more. Idempotent. */
  public void close() {
    assert loop.inLoop();
    if (!closed) {
      closed = true;
      again.cancel();
      loop.poller().unwatch(this);
      libc.close(fd);
    }
  }

  @Override
  void onLoopClosed() {
    close();
  }

  @Override
  void onEvents(int events) {
    if (!again.armed()) {
      accept();
    }
  }

  /** Takes what has come in. The kernel tells of an arrival once, so whoever stops early has to come back by itself. */
  private void accept() {
    for (int i = 0; i < MAX_ACCEPTS_PER_TURN && !closed; i++) {
      int result = acceptOne();
      if (result >= 0) {
        shortOfFiles = false;
        accepted(result);
        continue;
      }
      switch (-result) {
        case Errno.EAGAIN -> {
          return;
        }
        case Errno.EMFILE, Errno.ENFILE, Errno.ENOBUFS, Errno.ENOMEM -> {
          shortOf(-result);
          return;
        }
        case Errno.EBADF, Errno.EINVAL, Errno.EOPNOTSUPP -> throw Errno.socket("accept on " + this, -result);
        // The fate of one connection (aborted, unreachable by now) is no reason to leave the next one waiting.
        default -> {
        }
      }
    }
    if (!closed) {
      again.arm(0);
    }
  }

  private void shortOf(int errno) {
    again.arm(RETRY_NS);
    if (!shortOfFiles) {
      shortOfFiles = true;
      LOG.log(System.Logger.Level.WARNING, "{0} takes no connections for now: {1}", this, Errno.text(errno));
    }
  }
}
