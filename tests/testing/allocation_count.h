// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Counts heap allocations, to prove that a loop makes none. A test that links
// this has its operator new replaced.

#ifndef TESTS_TESTING_ALLOCATION_COUNT_H_
#define TESTS_TESTING_ALLOCATION_COUNT_H_

#include <cstddef>

// Calls of operator new so far, by all threads.
std::size_t AllocationCount();

#endif  // TESTS_TESTING_ALLOCATION_COUNT_H_
