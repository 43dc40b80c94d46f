#ifdef __wasm__
    .section .rodata.dorsalgia_knowledge,"",@
    .globl dorsalgia_knowledge_begin
    .globl dorsalgia_knowledge_end
    .p2align 4
dorsalgia_knowledge_begin:
    .incbin DORSALGIA_PACKED
dorsalgia_knowledge_end:
    .byte 0
    .size dorsalgia_knowledge_begin, dorsalgia_knowledge_end - dorsalgia_knowledge_begin
    .size dorsalgia_knowledge_end, 1
#else
    .section .rodata
    .global dorsalgia_knowledge_begin
    .global dorsalgia_knowledge_end
    .balign 16
dorsalgia_knowledge_begin:
    .incbin DORSALGIA_PACKED
dorsalgia_knowledge_end:
    .section .note.GNU-stack,"",%progbits
#endif
