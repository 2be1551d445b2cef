// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// How many processors this process may really use. In a container or a batch
// job that is less than std::thread::hardware_concurrency() says:
//
//   SLURM_CPUS_PER_TASK when set, else
//   min(scheduling affinity, processor quota of its cgroups, rounded up)
//
// A quota binds a whole branch of the cgroup tree (v1: cpu.cfs_quota_us, v2:
// cpu.max), so every ancestor counts. What cannot be read or parsed is ignored.
// For set-up, not for loops: it reads /proc and allocates.

#ifndef HPCNN_CONCURRENCY_CPU_COUNT_H_
#define HPCNN_CONCURRENCY_CPU_COUNT_H_

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

struct CpuCount {
  std::size_t count;        // at least 1
  std::string_view source;  // what decided: "affinity", "cgroup v2 quota", ...
};

namespace internal {

// The whole of `text`, blanks and line end aside, as a number above 0.
inline std::optional<std::int64_t> ParsePositive(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value <= 0) {
    return std::nullopt;
  }
  return value;
}

// Microseconds of processor time per period, as processors; -1 (v1) and "max"
// (v2) mean no limit and do not parse.
inline std::optional<std::size_t> QuotaCpus(std::string_view quota,
                                            std::string_view period) {
  const auto q = ParsePositive(quota);
  const auto p = ParsePositive(period);
  if (!q || !p) return std::nullopt;
  return static_cast<std::size_t>((*q - 1) / *p + 1);
}

// The first word of `text` up to `separator`, which both are removed.
inline std::string_view NextWord(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// Does the comma-separated `list` hold `word`?
inline bool ListHas(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (NextWord(list, ',') == word) return true;
  }
  return false;
}

// Empty when the file cannot be read. Not std::ifstream: <fstream> is heavy,
// and the sizes of files in /proc are unknown beforehand.
inline std::string ReadWhole(const std::string& path) {
  std::string text;
  if (std::FILE* file = std::fopen(path.c_str(), "r")) {
    char block[4096];
    while (const std::size_t n = std::fread(block, 1, sizeof(block), file)) {
      text.append(block, n);
    }
    std::fclose(file);
  }
  return text;
}

// The smallest quota of the cgroup `path` and its ancestors below `mount`.
inline std::optional<std::size_t> SmallestQuota(const std::string& mount,
                                                std::string path, bool v2) {
  std::optional<std::size_t> smallest;
  for (;;) {
    const std::string folder = mount + path + "/";
    std::optional<std::size_t> cpus;
    if (v2) {
      const std::string text = ReadWhole(folder + "cpu.max");
      std::string_view rest = text;
      const std::string_view quota = NextWord(rest, ' ');
      cpus = QuotaCpus(quota, rest);
    } else {
      cpus = QuotaCpus(ReadWhole(folder + "cpu.cfs_quota_us"),
                       ReadWhole(folder + "cpu.cfs_period_us"));
    }
    if (cpus) smallest = std::min(smallest.value_or(*cpus), *cpus);
    if (path.empty()) return smallest;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

// This process's path in the hierarchy, from the lines `id:controllers:path` of
// /proc/self/cgroup. v2 is the line without controllers.
inline std::string CgroupPath(std::string_view cgroup, bool v2) {
  while (!cgroup.empty()) {
    std::string_view line = NextWord(cgroup, '\n');
    NextWord(line, ':');
    const std::string_view controllers = NextWord(line, ':');
    if (v2 ? controllers.empty() : ListHas(controllers, "cpu")) {
      return std::string(line);
    }
  }
  return {};
}

// `path` seen from a mount point that stands for `mount_root`: a container
// often mounts only its own branch, while paths still start at the host's root.
inline std::string PathBelow(std::string_view mount_root, std::string path) {
  if (path.starts_with(mount_root) && mount_root != "/" &&
      (path.size() == mount_root.size() || path[mount_root.size()] == '/')) {
    path.erase(0, mount_root.size());
  }
  // ".." leads out of a cgroup namespace: only the mount point is left to us.
  if (path == "/" || path.find("..") != std::string::npos) path.clear();
  return path;
}

// The smallest quota over the mounted hierarchies, v1 and v2; `root` stands for
// "/" in tests.
inline std::optional<CpuCount> CgroupCpus(const std::string& root) {
  std::optional<CpuCount> smallest;
  const std::string cgroup = ReadWhole(root + "/proc/self/cgroup");
  const std::string mountinfo = ReadWhole(root + "/proc/self/mountinfo");
  std::string_view lines = mountinfo;
  while (!lines.empty()) {
    // id parent device ROOT MOUNT options [optional...] - TYPE source OPTIONS
    std::string_view line = NextWord(lines, '\n');
    for (int i = 0; i < 3; ++i) NextWord(line, ' ');
    const std::string_view mount_root = NextWord(line, ' ');
    const std::string mount(NextWord(line, ' '));
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    line.remove_prefix(dash + 3);
    const std::string_view type = NextWord(line, ' ');
    NextWord(line, ' ');
    const bool v2 = type == "cgroup2";
    if (!v2 && !(type == "cgroup" && ListHas(line, "cpu"))) continue;

    const auto cpus = SmallestQuota(
        root + mount, PathBelow(mount_root, CgroupPath(cgroup, v2)), v2);
    if (cpus && (!smallest || *cpus < smallest->count)) {
      smallest = {*cpus, v2 ? "cgroup v2 quota" : "cgroup v1 quota"};
    }
  }
  return smallest;
}

// Processors that the scheduler may put the calling thread on.
inline std::size_t AffinityCpus() {
  // The kernel refuses a mask shorter than its own.
  for (std::size_t masks = 1; masks <= 64; masks *= 2) {
    std::vector<cpu_set_t> set(masks);
    const std::size_t bytes = masks * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, set.data()) == 0) {
      const int count = CPU_COUNT_S(bytes, set.data());
      if (count > 0) return static_cast<std::size_t>(count);
    }
  }
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

// UsableCpus() of the process that these describe; `slurm` may be null.
inline CpuCount CountCpus(const char* slurm, std::size_t affinity,
                          const std::string& root) {
  if (slurm != nullptr) {
    if (const auto count = ParsePositive(slurm)) {
      return {static_cast<std::size_t>(*count), "SLURM_CPUS_PER_TASK"};
    }
  }
  const std::optional<CpuCount> quota = CgroupCpus(root);
  if (quota && quota->count < affinity) return *quota;
  return {affinity, "affinity"};
}

}  // namespace internal

// Of this process, now; affinity and quotas may change while it runs.
inline CpuCount UsableCpus() {
  return internal::CountCpus(std::getenv("SLURM_CPUS_PER_TASK"),
                             internal::AffinityCpus(), "");
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_CPU_COUNT_H_
