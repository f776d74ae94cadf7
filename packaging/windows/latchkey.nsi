; Windows installer, from the folder that PyInstaller made on Windows: makensis -DVERSION=0.1.0 -DBUNDLE=..\..\dist\latchkey latchkey.nsi
; Installs for one person, without an administrator. It runs nothing but its own uninstaller and downloads nothing.
Unicode true
!ifndef VERSION
  !define VERSION "0.0.0"
!endif
!ifndef BUNDLE
  !define BUNDLE "..\..\dist\latchkey"
!endif
!ifndef OUTPUT
  !define OUTPUT "..\..\dist\latchkey-${VERSION}-setup.exe"
!endif
!include "MUI2.nsh"

Name "Latchkey"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\Latchkey"
InstallDirRegKey HKCU "Software\Latchkey" "Folder"
RequestExecutionLevel user
SetCompressor /SOLID lzma
ManifestDPIAware true

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Latchkey"
!define MUI_ABORTWARNING
!insertmacro MUI_PAGE_LICENSE "..\..\LICENSE"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Section "Latchkey" Main
  SectionIn RO
  SetOutPath "$INSTDIR"
  File /r "${BUNDLE}\*"
  CreateShortcut "$SMPROGRAMS\Latchkey.lnk" "$INSTDIR\latchkey.exe"
  WriteRegStr HKCU "Software\Latchkey" "Folder" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Latchkey"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Latchkey developers"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  WriteUninstaller "$INSTDIR\uninstall.exe"
SectionEnd

Section "Open latchkey: links and .latchkey files" Links
  WriteRegStr HKCU "Software\Classes\latchkey" "" "URL:Latchkey link"
  WriteRegStr HKCU "Software\Classes\latchkey" "URL Protocol" ""
  WriteRegStr HKCU "Software\Classes\latchkey\shell\open\command" "" '"$INSTDIR\latchkey.exe" --link -- "%1"'
  WriteRegStr HKCU "Software\Classes\.latchkey" "" "Latchkey.HandOver"
  WriteRegStr HKCU "Software\Classes\Latchkey.HandOver" "" "Latchkey hand-over"
  WriteRegStr HKCU "Software\Classes\Latchkey.HandOver\shell\open\command" "" '"$INSTDIR\latchkey.exe" --link -- "%1"'
SectionEnd

Section /o "Offline machine: start without any network" Offline
  CreateShortcut "$SMPROGRAMS\Latchkey (offline).lnk" "$INSTDIR\latchkey.exe" "--offline"
  CreateShortcut "$SMPROGRAMS\Latchkey.lnk" "$INSTDIR\latchkey.exe" "--offline"
SectionEnd

; The vault and the book stay: they are the person's.
Section "Uninstall"
  Delete "$SMPROGRAMS\Latchkey.lnk"
  Delete "$SMPROGRAMS\Latchkey (offline).lnk"
  DeleteRegKey HKCU "Software\Classes\latchkey"
  DeleteRegKey HKCU "Software\Classes\.latchkey"
  DeleteRegKey HKCU "Software\Classes\Latchkey.HandOver"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "Software\Latchkey"
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\latchkey.exe"
  Delete "$INSTDIR\latchkey-cli.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"  ; only when nothing else is in it
SectionEnd
