// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/cpu_count.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace hpcnn {
namespace {

using internal::CountCpus;

// A folder that plays "/": files are added by path.
class FakeRoot {
 public:
  FakeRoot() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(testing::TempDir()) /
            (std::string("cpu_count.") + test->name());
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~FakeRoot() { std::filesystem::remove_all(root_); }

  FakeRoot& Add(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_.string() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }
  FakeRoot& AddV2(const std::string& mount_root, const std::string& path) {
    Add("/proc/self/mountinfo", "30 23 0:26 " + mount_root +
                                    " /sys/fs/cgroup rw,nosuid shared:4 - "
                                    "cgroup2 cgroup2 rw,nsdelegate\n");
    return Add("/proc/self/cgroup", "0::" + path + "\n");
  }
  FakeRoot& AddV1(const std::string& mount_root, const std::string& path) {
    Add("/proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "33 31 0:30 " +
            mount_root +
            " /sys/fs/cgroup/cpu,cpuacct rw master:7 - cgroup cgroup "
            "rw,cpu,cpuacct\n");
    return Add("/proc/self/cgroup",
               "9:name=systemd:/elsewhere\n3:cpuset:/\n"
               "1:cpu,cpuacct:" +
                   path + "\n0::/\n");
  }

  CpuCount Count(std::size_t affinity, const char* slurm = nullptr) const {
    return CountCpus(slurm, affinity, root_.string());
  }

 private:
  std::filesystem::path root_;
};

void ExpectCount(const CpuCount& actual, std::size_t count,
                 std::string_view source) {
  EXPECT_EQ(actual.count, count);
  EXPECT_EQ(actual.source, source);
}

TEST(CpuCount, AffinityWhenNothingElseIsKnown) {
  ExpectCount(FakeRoot().Count(7), 7, "affinity");
}

TEST(CpuCount, SlurmGoesFirst) {
  FakeRoot root;
  root.AddV2("/", "/job").Add("/sys/fs/cgroup/job/cpu.max", "100000 100000\n");
  ExpectCount(root.Count(7, "3"), 3, "SLURM_CPUS_PER_TASK");
  ExpectCount(root.Count(7, "64"), 64, "SLURM_CPUS_PER_TASK");
}

TEST(CpuCount, GarbageInSlurmIsIgnored) {
  for (const char* text : {"", "0", "-4", "four", "4x", "4,4", " 4", "0x4",
                           "99999999999999999999"}) {
    SCOPED_TRACE(text);
    ExpectCount(FakeRoot().Count(7, text), 7, "affinity");
  }
}

TEST(CpuCount, QuotaIsRoundedUp) {
  for (const auto& [text, count] : {std::pair{"100000 100000\n", 1u},
                                    {"100001 100000\n", 2u},
                                    {"150000 100000\n", 2u},
                                    {"1000 100000\n", 1u},
                                    {"350000 50000\n", 7u}}) {
    SCOPED_TRACE(text);
    FakeRoot root;
    root.AddV2("/", "/").Add("/sys/fs/cgroup/cpu.max", text);
    ExpectCount(root.Count(16), count, "cgroup v2 quota");
  }
}

TEST(CpuCount, GarbageInQuotaIsIgnored) {
  for (const char* text :
       {"", "max 100000\n", "max", "-1 100000", "100000", "100000 0",
        "100000 -5", "a b", "1e5 100000", "100000 100000 7", "\n\n",
        "999999999999999999999 100000"}) {
    SCOPED_TRACE(text);
    FakeRoot root;
    root.AddV2("/", "/").Add("/sys/fs/cgroup/cpu.max", text);
    ExpectCount(root.Count(16), 16, "affinity");
  }
}

TEST(CpuCount, QuotaAboveAffinityDoesNotDecide) {
  FakeRoot root;
  root.AddV2("/", "/").Add("/sys/fs/cgroup/cpu.max", "800000 100000\n");
  ExpectCount(root.Count(4), 4, "affinity");
  ExpectCount(root.Count(8), 8, "affinity");
  ExpectCount(root.Count(9), 8, "cgroup v2 quota");
}

TEST(CpuCount, SmallestQuotaOfNestedGroupsCounts) {
  FakeRoot root;
  root.AddV2("/", "/a/b/c")
      .Add("/sys/fs/cgroup/a/cpu.max", "300000 100000\n")
      .Add("/sys/fs/cgroup/a/b/cpu.max", "200000 100000\n")
      .Add("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  ExpectCount(root.Count(16), 2, "cgroup v2 quota");
  root.Add("/sys/fs/cgroup/cpu.max", "100000 100000\n");
  ExpectCount(root.Count(16), 1, "cgroup v2 quota");
}

TEST(CpuCount, SiblingsDoNotCount) {
  FakeRoot root;
  root.AddV2("/", "/a/b")
      .Add("/sys/fs/cgroup/a/c/cpu.max", "100000 100000\n")
      .Add("/sys/fs/cgroup/b/cpu.max", "100000 100000\n");
  ExpectCount(root.Count(16), 16, "affinity");
}

TEST(CpuCount, ContainerThatMountsItsOwnBranch) {
  FakeRoot root;
  root.AddV2("/docker/abc", "/docker/abc/job")
      .Add("/sys/fs/cgroup/job/cpu.max", "300000 100000\n");
  ExpectCount(root.Count(16), 3, "cgroup v2 quota");
  root.Add("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  ExpectCount(root.Count(16), 2, "cgroup v2 quota");
}

TEST(CpuCount, ContainerWhoseNameIsAPrefix) {
  FakeRoot root;
  root.AddV2("/docker/ab", "/docker/abc")
      .Add("/sys/fs/cgroup/c/cpu.max", "100000 100000\n");
  ExpectCount(root.Count(16), 16, "affinity");
}

TEST(CpuCount, PathOutsideTheNamespace) {
  FakeRoot root;
  root.AddV2("/", "/../../other")
      .Add("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  ExpectCount(root.Count(16), 2, "cgroup v2 quota");
}

TEST(CpuCount, V1) {
  FakeRoot root;
  root.AddV1("/", "/slurm/job")
      .Add("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
      .Add("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  ExpectCount(root.Count(16), 16, "affinity");
  root.Add("/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us", "450000\n")
      .Add("/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_period_us", "100000\n");
  ExpectCount(root.Count(16), 5, "cgroup v1 quota");
  // A group of another controller: not ours.
  root.Add("/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "100000\n")
      .Add("/sys/fs/cgroup/cpuset/cpu.cfs_period_us", "100000\n");
  ExpectCount(root.Count(16), 5, "cgroup v1 quota");
}

TEST(CpuCount, HybridTakesTheSmaller) {
  FakeRoot root;
  root.Add("/proc/self/mountinfo",
           "1 0 0:1 / /v1 rw - cgroup cgroup rw,cpu\n"
           "2 0 0:2 / /v2 rw - cgroup2 cgroup2 rw\n")
      .Add("/proc/self/cgroup", "1:cpu:/x\n0::/y\n")
      .Add("/v1/x/cpu.cfs_quota_us", "600000\n")
      .Add("/v1/x/cpu.cfs_period_us", "100000\n")
      .Add("/v2/y/cpu.max", "400000 100000\n");
  ExpectCount(root.Count(16), 4, "cgroup v2 quota");
}

TEST(CpuCount, GarbageInProcIsIgnored) {
  for (const char* text : {"\n", "cgroup2", "a b c d e f", " - cgroup2",
                           "1 2 3 / /m rw - cgroup2", ":::::", "0::"}) {
    SCOPED_TRACE(text);
    FakeRoot root;
    root.Add("/proc/self/mountinfo", text).Add("/proc/self/cgroup", text);
    ExpectCount(root.Count(16), 16, "affinity");
  }
}

TEST(CpuCount, AffinityOfThisThread) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_EQ(internal::AffinityCpus(),
            static_cast<std::size_t>(CPU_COUNT(&before)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(internal::AffinityCpus(), 1u);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST(CpuCount, OfThisProcess) {
  const CpuCount cpus = UsableCpus();
  EXPECT_GE(cpus.count, 1u);
  EXPECT_FALSE(cpus.source.empty());
}

}  // namespace
}  // namespace hpcnn
