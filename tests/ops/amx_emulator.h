// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AMX on processors that lack it: each instruction stops there with SIGILL,
// whose handler does what the instruction would have done. Only those that
// hpcnn/ops uses, by the manual's description of them (Intel 64 and IA-32
// Architectures Software Developer's Manual, volume 2), without its treatment of
// denormal numbers.

#ifndef HPCNN_TESTS_OPS_AMX_EMULATOR_H_
#define HPCNN_TESTS_OPS_AMX_EMULATOR_H_

#include <signal.h>
#include <ucontext.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hpcnn_test {

// Installs itself for its lifetime, for all threads.
class AmxEmulator {
 public:
  AmxEmulator() {
    struct sigaction action {};
    action.sa_sigaction = &AmxEmulator::OnIllegal;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, &before_);
  }
  ~AmxEmulator() { sigaction(SIGILL, &before_, nullptr); }
  AmxEmulator(const AmxEmulator&) = delete;
  AmxEmulator& operator=(const AmxEmulator&) = delete;

  // Products of tiles that this thread has asked for.
  static std::size_t products() { return state.products; }

 private:
  struct Tile {
    unsigned char rows[16][64];
  };
  struct State {
    bool configured;
    std::size_t products;
    Tile tiles[8];
  };

  static float FromBf16(const unsigned char* half) {
    std::uint16_t bits;
    std::memcpy(&bits, half, sizeof(bits));
    const std::uint32_t wide = std::uint32_t{bits} << 16;
    float value;
    std::memcpy(&value, &wide, sizeof(value));
    return value;
  }

  // TDPBF16PS: even and odd steps of k are summed apart.
  static void MultiplyAdd(Tile& sum, const Tile& a, const Tile& b) {
    for (std::size_t m = 0; m < 16; ++m) {
      for (std::size_t n = 0; n < 16; ++n) {
        float even = 0, odd = 0, old;
        for (std::size_t k = 0; k < 16; ++k) {
          const unsigned char* const left = &a.rows[m][4 * k];
          const unsigned char* const right = &b.rows[k][4 * n];
          even = std::fma(FromBf16(left), FromBf16(right), even);
          odd = std::fma(FromBf16(left + 2), FromBf16(right + 2), odd);
        }
        std::memcpy(&old, &sum.rows[m][4 * n], sizeof(old));
        old += even + odd;
        std::memcpy(&sum.rows[m][4 * n], &old, sizeof(old));
      }
    }
  }

  [[noreturn]] static void Die(const unsigned char* code) {
    std::fprintf(stderr, "not emulated: %02x %02x %02x %02x %02x\n", code[0],
                 code[1], code[2], code[3], code[4]);
    std::_Exit(1);
  }

  // An instruction is C4, two more bytes of prefix (~R ~X ~B and the map of
  // opcodes; W, ~vvvv, L, pp), the opcode, ModRM, SIB and a displacement.
  static void OnIllegal(int, siginfo_t*, void* context) {
    greg_t* const registers =
        static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    auto* const code = reinterpret_cast<unsigned char*>(registers[REG_RIP]);
    if (code[0] != 0xC4 || (code[1] & 0x1F) != 2) Die(code);
    enum Prefix { kNone, k66, kF3, kF2 };
    const int prefix = code[2] & 3;
    const int third = ~code[2] >> 3 & 15;
    const int opcode = code[3];
    const int mod = code[4] >> 6;
    const int reg = code[4] >> 3 & 7;
    const int rm = code[4] & 7;
    std::size_t length = 5;

    const auto general = [&](int number) {
      constexpr int kOrder[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX,
                                  REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15};
      return static_cast<std::uintptr_t>(registers[kOrder[number]]);
    };
    // The operand in memory, and the step between its rows: the index.
    std::uintptr_t address = 0;
    std::uintptr_t step = 0;
    if (mod != 3) {
      int base = rm;
      if (rm == 4) {
        const int sib = code[length++];
        base = sib & 7;
        const int index = (sib >> 3 & 7) | (~code[1] >> 6 & 1) << 3;
        if (index != 4) step = general(index) << (sib >> 6);
      }
      if (base == 5 && mod == 0) {
        if (rm == 4) Die(code);
        std::int32_t offset;
        std::memcpy(&offset, code + length, sizeof(offset));
        length += 4;
        address = reinterpret_cast<std::uintptr_t>(code) + length +
                  static_cast<std::uintptr_t>(std::intptr_t{offset});
      } else {
        address = general(base | (~code[1] >> 5 & 1) << 3);
        if (mod == 1) {
          address += static_cast<std::uintptr_t>(
              std::intptr_t{static_cast<signed char>(code[length])});
          length += 1;
        } else if (mod == 2) {
          std::int32_t offset;
          std::memcpy(&offset, code + length, sizeof(offset));
          address += static_cast<std::uintptr_t>(std::intptr_t{offset});
          length += 4;
        }
      }
    }
    const auto row = [&](std::size_t r) {
      return reinterpret_cast<unsigned char*>(address + r * step);
    };

    if (opcode == 0x49 && prefix == kNone && mod != 3) {  // LDTILECFG
      // Palette 1 with eight tiles of 16 rows of 64 bytes is all that is known.
      unsigned char known[64] = {1};
      for (std::size_t t = 0; t < 8; ++t) {
        known[16 + 2 * t] = 64;
        known[48 + t] = 16;
      }
      if (std::memcmp(row(0), known, sizeof(known)) != 0) Die(code);
      state.configured = true;
      std::memset(state.tiles, 0, sizeof(state.tiles));
    } else if (!state.configured) {
      Die(code);
    } else if (opcode == 0x49 && prefix == kNone) {  // TILERELEASE
      state.configured = false;
    } else if (opcode == 0x49 && prefix == kF2) {  // TILEZERO
      state.tiles[reg] = {};
    } else if (opcode == 0x4B && prefix == kF2) {  // TILELOADD
      for (std::size_t r = 0; r < 16; ++r) {
        std::memcpy(state.tiles[reg].rows[r], row(r), 64);
      }
    } else if (opcode == 0x4B && prefix == kF3) {  // TILESTORED
      for (std::size_t r = 0; r < 16; ++r) {
        std::memcpy(row(r), state.tiles[reg].rows[r], 64);
      }
    } else if (opcode == 0x5C && prefix == kF3) {  // TDPBF16PS
      if (reg == rm || reg == third || rm == third) Die(code);
      MultiplyAdd(state.tiles[reg], state.tiles[rm], state.tiles[third]);
      ++state.products;
    } else {
      Die(code);
    }
    registers[REG_RIP] += static_cast<greg_t>(length);
  }

  static inline thread_local State state{};
  struct sigaction before_ {};
};

}  // namespace hpcnn_test

#endif  // HPCNN_TESTS_OPS_AMX_EMULATOR_H_
