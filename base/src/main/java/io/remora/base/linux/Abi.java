package io.remora.base.linux;

/** Numbers of the Linux kernel's interface, as far as they are used here. Where processors differ, by processor. */
final class Abi {
  static final boolean X86_64 = System.getProperty("os.arch", "").equals("amd64");
  static final boolean AARCH64 = System.getProperty("os.arch", "").equals("aarch64");

  static final int SYS_IO_URING_SETUP = 425;
  static final int SYS_IO_URING_ENTER = 426;
  static final int SYS_IO_URING_REGISTER = 427;
  static final int SYS_EPOLL_PWAIT2 = 441;

  static final int AF_UNIX = 1;
  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  static final int SOCK_STREAM = 1;
  static final int SOCK_DGRAM = 2;
  static final int SOCK_SEQPACKET = 5;
  static final int SOCK_NONBLOCK = 0x800;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int SOL_SOCKET = 1;
  static final int SO_REUSEADDR = 2;
  static final int SO_ERROR = 4;
  static final int SO_LINGER = 13;
  static final int SO_PEERCRED = 17;
  static final int SCM_RIGHTS = 1;
  static final int IPPROTO_TCP = 6;
  static final int TCP_NODELAY = 1;
  static final int IPPROTO_IPV6 = 41;
  static final int IPV6_V6ONLY = 26;
  static final int MSG_TRUNC = 0x20;
  static final int MSG_NOSIGNAL = 0x4000;
  static final int MSG_CMSG_CLOEXEC = 0x40000000;
  static final int SHUT_WR = 1;

  /** Events of poll, epoll and io_uring's poll: the same bits. */
  static final int POLLIN = 0x1;
  static final int POLLOUT = 0x4;
  static final int POLLERR = 0x8;
  static final int POLLHUP = 0x10;
  static final int POLLRDHUP = 0x2000;
  static final int EPOLLET = 1 << 31;
  static final int EPOLL_CLOEXEC = 0x80000;
  static final int EPOLL_CTL_ADD = 1;
  static final int EPOLL_CTL_DEL = 2;
  static final int EFD_NONBLOCK = 0x800;
  static final int EFD_CLOEXEC = 0x80000;

  static final int O_RDONLY = 0;
  static final int O_WRONLY = 1;
  static final int O_RDWR = 2;
  static final int O_CREAT = 0x40;
  static final int O_EXCL = 0x80;
  static final int O_TRUNC = 0x200;
  static final int O_CLOEXEC = 0x80000;
  static final int O_DIRECT = AARCH64 ? 0x10000 : 0x4000;
  static final int O_DIRECTORY = AARCH64 ? 0x4000 : 0x10000;
  static final int F_SETFL = 4;
  static final int F_DUPFD_CLOEXEC = 1030;
  static final int LOCK_SH_NB = 1 | 4;
  static final int LOCK_EX_NB = 2 | 4;
  static final int RWF_DSYNC = 2;
  static final int FALLOC_FL_KEEP_SIZE = 0x1;
  static final int FALLOC_FL_PUNCH_HOLE = 0x2;
  static final int FALLOC_FL_ZERO_RANGE = 0x10;
  static final long BLKGETSIZE64 = 0x80081272L;
  static final long BLKSSZGET = 0x1268L;
  static final long TMPFS_MAGIC = 0x01021994L;
  static final long RAMFS_MAGIC = 0x858458f6L;
  static final int F_ADD_SEALS = 1033;
  static final int F_GET_SEALS = 1034;
  static final int F_SEAL_SEAL = 0x1;
  static final int F_SEAL_SHRINK = 0x2;
  static final int F_SEAL_GROW = 0x4;
  static final int F_SEAL_FUTURE_WRITE = 0x10;
  static final int MFD_CLOEXEC = 0x1;
  static final int MFD_ALLOW_SEALING = 0x2;
  static final int SEEK_END = 2;
  static final int PROT_READ = 1;
  static final int PROT_READ_WRITE = 3;
  static final int MAP_SHARED = 0x1;
  static final int MAP_SHARED_POPULATE = 0x1 | 0x8000;

  private Abi() {}
}
