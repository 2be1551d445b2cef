// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Whole files in and out, and the one line that says what is wrong with one.
//
// ReadFile refuses what is not a regular file and what is larger than a limit,
// before it allocates. WriteFileAtomically leaves the old file or the new one,
// never a mixture, also when the machine loses power: temporary file in the
// same folder, fsync, rename, fsync of the folder (Pillai et al., "All File
// Systems Are Not Created Equal", OSDI 2014). Not for files that exceed memory.

#ifndef HPCNN_IO_FILE_H_
#define HPCNN_IO_FILE_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

// "PATH: offset N: expected E, found F; HINT", always one line. Offsets in the
// content of a .gz file count unpacked bytes.
inline absl::Status FileError(
    std::string_view path, std::uint64_t offset, std::string_view expected,
    std::string_view found, std::string_view hint,
    absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  return absl::Status(
      code,
      absl::StrCat(absl::Utf8SafeCEscape(path), ": offset ", offset,
                   ": expected ", expected, ", found ", found, "; ", hint));
}

// A path as the user typed it: `bazel run` changes the working directory and
// tells in this variable where the user was.
inline std::string ResolveUserPath(std::string_view path) {
  const char* typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  if (typed_in == nullptr) return std::string(path);
  return (std::filesystem::path(typed_in) / path).string();
}

namespace internal {

inline absl::Status SystemError(std::string_view path, std::uint64_t offset,
                                std::string_view expected, int error) {
  return FileError(path, offset, expected, std::strerror(error),
                   "check the path and its permissions",
                   absl::ErrnoToStatusCode(error));
}

// Closes on destruction.
class FileDescriptor {
 public:
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }
  int Close() { return close(std::exchange(descriptor_, -1)); }

 private:
  int descriptor_;
};

// 0, or the error.
inline int WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// Creates a file next to `path` that nobody else writes, and sets `temporary`
// to its name. With the permissions of any new file, unlike mkstemp.
inline int CreateBeside(const std::string& path, std::string& temporary) {
  for (int attempt = 0;; ++attempt) {
    temporary = absl::StrCat(path, ".tmp", getpid(), ".", attempt);
    const int descriptor =
        open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
}

// Makes a rename in the folder of `path` last. 0, or the error.
inline int SyncFolderOf(const std::string& path) {
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  const FileDescriptor descriptor(open(folder.empty() ? "." : folder.c_str(),
                                       O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0 || fsync(descriptor.get()) != 0) return errno;
  return 0;
}

}  // namespace internal

inline absl::StatusOr<std::string> ReadFile(
    const std::string& path, std::uint64_t max_bytes = kMaxFileBytes) {
  // Without O_NONBLOCK the open of a named pipe would wait for a writer.
  const internal::FileDescriptor file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status;
  if (file.get() < 0 || fstat(file.get(), &status) != 0) {
    return internal::SystemError(path, 0, "a readable file", errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return FileError(path, 0, "a file",
                     S_ISDIR(status.st_mode) ? "a directory" : "a device",
                     "name the file itself");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes) {
    return FileError(path, 0, absl::StrCat("at most ", max_bytes, " bytes"),
                     absl::StrCat(size, " bytes"), "is this the right file?",
                     absl::StatusCode::kResourceExhausted);
  }
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = read(file.get(), bytes.data() + have, size - have);
    if (got == 0) {
      return FileError(path, have, absl::StrCat(size, " bytes"),
                       "the end of the file", "is another program writing it?");
    }
    if (got < 0 && errno != EINTR) {
      return internal::SystemError(path, have, "readable bytes", errno);
    }
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return bytes;
}

// Replaces `path`, or a symbolic link there, in one step.
inline absl::Status WriteFileAtomically(const std::string& path,
                                        std::string_view bytes) {
  std::string temporary;
  internal::FileDescriptor file(internal::CreateBeside(path, temporary));
  if (file.get() < 0) {
    return internal::SystemError(path, 0, "a writable folder", errno);
  }
  int error = internal::WriteAll(file.get(), bytes);
  // A failed fsync or close means that the bytes may be lost: a second try
  // would report success without writing them.
  if (error == 0 && fsync(file.get()) != 0) error = errno;
  if (file.Close() != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) {
    unlink(temporary.c_str());
    return internal::SystemError(
        path, 0, absl::StrCat("room for a file of ", bytes.size(), " bytes"),
        error);
  }
  if (error = internal::SyncFolderOf(path); error != 0) {
    return internal::SystemError(path, 0, "a folder that can be synced", error);
  }
  return absl::OkStatus();
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_FILE_H_
